"""``python3 -m tests.bench.stock FILE [--quiet]``: the standard library's server at its best, answering what is in the file.

It keeps connections, has Nagle's algorithm off and sends head and body in one write. It logs each request, as it comes, unless told not to.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    document: Any = None

    def do_GET(self) -> None:
        body = json.dumps(self.document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class QuietHandler(Handler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


class Stock(ThreadingHTTPServer):
    daemon_threads = True
    # Its own 5 would make the load wait for a second before it can connect.
    request_queue_size = 128


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        Handler.document = json.load(file)
    with Stock(("127.0.0.1", 0), QuietHandler if "--quiet" in sys.argv else Handler) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()
