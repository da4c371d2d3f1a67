"""A server whose socket others accept on too."""

from __future__ import annotations

import queue
import unittest

from secure_mcp_gateway.web.request import Request
from secure_mcp_gateway.web.response import Response
from tests.web.raw import PATIENCE, ServerCase, get


class HoldingBack(ServerCase):
    def test_a_connection_that_is_left_to_others_is_taken_once_it_is_not(self) -> None:
        asked: list[int] = []

        def hold_back(count: int) -> bool:
            asked.append(count)
            return len(asked) % 5 != 0

        def answer(request: Request) -> Response:
            return Response(200, request.raw_path.encode())

        server = self.start(answer, hold_back=hold_back)
        for at in range(3):
            self.assertEqual(self.connect(server).send(get(f"/{at}")).read().body, b"/%d" % at)
        self.assertEqual(asked[4:15:5], [0, 1, 2])

    def test_the_number_of_connections_is_told_after_each_end(self) -> None:
        told: queue.Queue[int] = queue.Queue()
        server = self.start(lambda _: Response(200, b""), count=told.put)
        clients = [self.connect(server) for _ in range(3)]
        for client in clients:
            client.send(get("/")).read()
        for left, client in zip((2, 1, 0), clients):
            client.sock.close()
            self.assertEqual(told.get(timeout=PATIENCE), left)


if __name__ == "__main__":
    unittest.main()
