"""A few read-only pages over HTTP: health, metrics."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from gateway.model.errors import ConfigError

__all__ = ["Page", "serve_pages"]


class Page(NamedTuple):
    """An answer: HTTP status, content type, body."""

    status: int
    content_type: str
    body: bytes


def serve_pages(host: str, port: int, pages: Mapping[str, Callable[[], Page]]) -> ThreadingHTTPServer:
    """Serve each path by calling its page, on a thread; ``server_port`` of the result is the port really used.

    ConfigError: the address cannot be used.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0], _missing)()
            self.send_response(page.status)
            self.send_header("Content-Type", page.content_type)
            self.send_header("Content-Length", str(len(page.body)))
            self.end_headers()
            self.wfile.write(page.body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Requests are not logged."""

    def _missing() -> Page:
        return Page(404, "text/plain", f"there is {', '.join(pages)}\n".encode())

    try:
        server = ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        hint = "another process has it: set GATEWAY_HTTP_PORT (0 picks a free one)"
        raise ConfigError(f"cannot serve health and metrics: {error}", where=f"{host}:{port}", hint=hint) from error
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="pages", daemon=True).start()
    return server
