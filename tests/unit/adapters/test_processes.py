"""Small adapters: calls with a deadline, pages over HTTP, processes that report."""

from __future__ import annotations

import os
import signal
import time
import urllib.error
import urllib.request
from multiprocessing.connection import Connection

import pytest

from gateway.adapters.bounded import BoundedCalls
from gateway.adapters.pages import Page, serve_pages
from gateway.adapters.processes import ReportingProcess
from gateway.model.errors import ConfigError


def test_a_bounded_call_gives_its_result_or_raises_as_the_call_does() -> None:
    calls = BoundedCalls("test")
    assert calls.call(lambda: 5, 5) == 5
    with pytest.raises(ZeroDivisionError):
        calls.call(lambda: 1 // 0, 5)


def test_a_call_that_does_not_return_is_given_up() -> None:
    calls = BoundedCalls("test")
    with pytest.raises(TimeoutError):
        calls.call(lambda: time.sleep(5), 0.05)


def test_pages_are_served_and_unknown_paths_and_taken_ports_are_told() -> None:
    server = serve_pages("127.0.0.1", 0, {"/health": lambda: Page(503, "text/plain", b"ill")})
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        with pytest.raises(urllib.error.HTTPError) as ill:
            urllib.request.urlopen(f"{address}/health", timeout=5)
        assert (ill.value.code, ill.value.read()) == (503, b"ill")
        with pytest.raises(urllib.error.HTTPError) as missing:
            urllib.request.urlopen(f"{address}/nothing", timeout=5)
        assert missing.value.code == 404
        with pytest.raises(ConfigError, match="GATEWAY_HTTP_PORT"):
            serve_pages("127.0.0.1", server.server_port, {})
    finally:
        server.shutdown()
        server.server_close()


def tell(words: list[str], pipe: Connection) -> None:
    for word in words:
        pipe.send(word)
    time.sleep(30)


def _until(process: ReportingProcess[str], wanted: str) -> str:
    seen = ""
    end = time.monotonic() + 30
    while seen != wanted and time.monotonic() < end:
        seen = process.report() or seen
        time.sleep(0.01)
    return seen


def test_a_process_reports_and_its_death_is_seen() -> None:
    process = ReportingProcess[str](tell, (["a", "b"],), "", lambda old, new: old + new, lambda _: "", "json")
    assert _until(process, "ab") in ("ab", "b")
    assert process.exit_code is None
    os.kill(process.pid, signal.SIGKILL)
    end = time.monotonic() + 10
    while process.exit_code is None and time.monotonic() < end:
        time.sleep(0.01)
    assert process.exit_code == -signal.SIGKILL
