"""What the bench makes of what it measured."""

from __future__ import annotations

import contextlib
import io
import unittest
from xml.etree import ElementTree

from tests.bench.figures import in_turn, share_below
from tests.bench.load import served_of
from tests.bench.plot import Line, Panel, svg
from tests.bench.rows import Rows, at_least, at_most
from tests.bench.wire import end_of_answer

WRK = """Running 2s test @ http://127.0.0.1:8001/
  Latency Distribution
     50%    1.34ms
     99%  912.00us
  25094 requests in 2.10s, 11.30MB read
Requests/sec:  11961.44
"""


class TheSeries(unittest.TestCase):
    def test_each_deed_is_done_once_a_round(self) -> None:
        done: list[str] = []
        found = in_turn(2, *(lambda name=name: done.append(name) or len(done) for name in "ab"))
        self.assertEqual((done, found), (["a", "b", "a", "b"], [[1, 3], [2, 4]]))

    def test_of_a_hundred_the_p99_is_the_last_but_one(self) -> None:
        self.assertEqual(share_below([float(number) for number in range(100, 0, -1)], 0.99), 99.0)
        self.assertEqual(share_below([3.0], 0.99), 3.0)


class TheLoad(unittest.TestCase):
    def test_an_answer_ends_where_its_length_says(self) -> None:
        for name in (b"Content-Length", b"content-length"):
            answer = b"HTTP/1.1 200 OK\r\nA: b\r\n" + name + b": 3\r\n\r\nxyz"
            self.assertEqual({end_of_answer(answer[:end]) for end in range(len(answer) - 3)}, {0})
            self.assertEqual({end_of_answer(answer[:end]) for end in range(len(answer) - 3, len(answer) + 1)}, {len(answer)})

    def test_what_wrk_prints_is_read_with_its_units(self) -> None:
        found = served_of(WRK)
        self.assertEqual(found.rate, 11961.44)
        self.assertAlmostEqual(found.p99, 0.000912)

    def test_a_refused_request_is_no_answer(self) -> None:
        with self.assertRaises(AssertionError):
            served_of(WRK + "  Non-2xx or 3xx responses: 1\n")


class TheTable(unittest.TestCase):
    def test_a_demand_holds_at_its_limit_and_not_beyond(self) -> None:
        self.assertEqual([at_least(2).holds(value) for value in (1.99, 2.0, 2.01)], [False, True, True])
        self.assertEqual([at_most(2).holds(value) for value in (1.99, 2.0, 2.01)], [True, True, False])

    def test_each_row_says_whether_it_holds_and_a_skipped_one_why_it_was(self) -> None:
        rows, said = Rows(""), io.StringIO()
        with contextlib.redirect_stdout(said):
            rows.row("fast", "9/s", "3/s", 3.0, at_least(2))
            rows.row("slow", "2/s", "3/s", 0.67, at_least(2))
            rows.row("beside", "2/s", "3/s", 0.67)
            rows.skip("absent", "there is nothing to measure")
            rows.conclude()
        lines = said.getvalue().splitlines()
        self.assertEqual(lines[-1], "1 passed, 1 failed, 1 skipped")
        self.assertEqual(
            [line.split() for line in lines[-5:-1]],
            [
                ["fast", "9/s", "3/s", "3.00x", "at", "least", "2x", "yes"],
                ["slow", "2/s", "3/s", "0.67x", "at", "least", "2x", "NO"],
                ["beside", "2/s", "3/s", "0.67x"],
                ["absent", "skipped:", "there", "is", "nothing", "to", "measure"],
            ],
        )


class ThePlot(unittest.TestCase):
    def test_it_is_an_svg_with_its_points_in_their_panel_in_order(self) -> None:
        line = Line("ours", [(10, 0.5), (1000, 30), (100_000, 200)])
        drawn = ElementTree.fromstring(svg([Panel("One read", "ms", [line])], "keys"))
        points = [(float(each.attrib["cx"]), float(each.attrib["cy"])) for each in drawn.iter("{http://www.w3.org/2000/svg}circle")]
        self.assertEqual(len(points), 3)
        self.assertEqual(points, sorted(points))
        self.assertEqual(sorted(y for _, y in points), [y for _, y in points][::-1])
        self.assertIn("0.1 ms", svg([Panel("One read", "ms", [line])], "keys"))
