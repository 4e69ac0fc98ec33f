"""Calls that must not outlast their deadline, whatever the library beneath does."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["BoundedCalls"]

_T = TypeVar("_T")


class BoundedCalls:
    """Runs calls one after another on a thread of its own and gives up on one that does not return.

    A call that was given up on may still be running: whatever it works on must not be used again. The thread dies with
    the process.
    """

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    def _serve(self) -> None:
        while True:
            call, answer = self._calls.get()
            try:
                answer.set_result(call())
            except BaseException as raised:  # noqa: BLE001 - it is the caller's, and raised there
                answer.set_exception(raised)

    def call(self, call: Callable[[], _T], seconds: float) -> _T:
        """The call's result or exception. TimeoutError if there is none after ``seconds``."""
        answer: Future[_T] = Future()
        self._calls.put((call, answer))
        return answer.result(seconds)
