"""The wire between a gateway and its broker: requests of a transaction's end are delayed, lost, or answered to nobody.

Framing as in Kafka's protocol guide: INT32 size, then INT16 api key, INT16 version, INT32 correlation id. A commit is
an EndTxn (26) whose last byte, ``committed``, is 1 in the versions that this client uses; offsets go by TxnOffsetCommit
(28).
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from gateway.stack import Stack
from gateway.stack.free import free_ports
from gateway.stack.kafka import Broker

__all__ = ["Wire", "wired_broker"]

Act = Literal["answer-lost", "lost", "delayed"]
Request = Literal["commit", "offsets"]
_END_TXN, _TXN_OFFSET_COMMIT = 26, 28
LATE = 4.0
"""Seconds after which a delayed request arrives, long after its connection broke."""


class Wire:
    """A proxy that knows where requests begin. ``proofs``: when what was done; ``late_answers``: error codes."""

    def __init__(self, target: tuple[str, int], port: int) -> None:
        self._target = target
        self.port = port
        self._plan: list[tuple[Request, Act]] = []
        self.proofs: list[tuple[float, Act]] = []
        self.late_answers: list[int] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def strike(self, request: Request, act: Act) -> None:
        """The next such request gets it."""
        self._plan.append((request, act))

    def close(self) -> None:
        """No new connections."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError):
            server = socket.create_connection(self._target)
            mute = threading.Event()
            threading.Thread(target=self._answers, args=(server, client, mute), daemon=True).start()
            while (request := _frame(client)) is not None:
                if self._plan and self._plan[0][0] == _kind(request):
                    self._act(self._plan.pop(0)[1], request, server, mute)
                    break
                server.sendall(request)
            _end(client)
            if not mute.is_set():
                _end(server)

    @staticmethod
    def _answers(server: socket.socket, client: socket.socket, mute: threading.Event) -> None:
        with suppress(OSError):
            while found := server.recv(65536):
                if not mute.is_set():
                    client.sendall(found)
        _end(client)

    def _act(self, act: Act, request: bytes, server: socket.socket, mute: threading.Event) -> None:
        self.proofs.append((time.monotonic(), act))
        if act == "answer-lost":
            mute.set()
            server.sendall(request)
        elif act == "delayed":
            threading.Thread(target=self._deliver, args=(request,), daemon=True).start()

    def _deliver(self, request: bytes) -> None:
        """On a connection of its own: what a network does that holds one packet back. The answer's error is noted."""
        time.sleep(LATE)
        with suppress(OSError), socket.create_connection(self._target) as server:
            server.settimeout(10)
            server.sendall(request)
            answer = _frame(server) or b""
            # size, correlation id, throttle time, error code; the answer to offsets names its errors further in
            self.late_answers.append(struct.unpack(">h", answer[12:14])[0] if _kind(request) == "commit" else 0)


def _frame(source: socket.socket) -> bytes | None:
    head = _exactly(source, 4)
    if head is None:
        return None
    body = _exactly(source, struct.unpack(">i", head)[0])
    return None if body is None else head + body


def _exactly(source: socket.socket, count: int) -> bytes | None:
    found = bytearray()
    while len(found) < count:
        piece = source.recv(min(65536, count - len(found)))
        if not piece:
            return None
        found += piece
    return bytes(found)


def _kind(request: bytes) -> str:
    key, version = struct.unpack(">hh", request[4:8])
    if key == _END_TXN and version > 2:
        raise AssertionError(f"EndTxn version {version}: its last byte is another one")
    return "commit" if key == _END_TXN and request[-1] == 1 else "offsets" if key == _TXN_OFFSET_COMMIT else ""


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def wired_broker(folder: Path, cache: Path) -> Iterator[tuple[Stack, Wire]]:
    """A broker with a second door, behind which the wire hangs: who comes in there is told to come there again."""
    door, outside = free_ports(["door", "outside"]).values()

    class Wired(Broker):
        def _settings(self) -> dict[str, object]:
            settings = super()._settings()
            return {
                **settings,
                "listeners": f"{settings['listeners']},WIRE://127.0.0.1:{door}",
                "advertised.listeners": f"{settings['advertised.listeners']},WIRE://127.0.0.1:{outside}",
                "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,WIRE:PLAINTEXT",
                "inter.broker.listener.name": "PLAINTEXT",
            }

    stack = Stack(folder, cache, kinds=(Wired,))
    stack.up(detached=False)
    wire = Wire(("127.0.0.1", door), outside)
    try:
        yield stack, wire
    finally:
        wire.close()
        stack.down(wipe=True)
