"""A TCP proxy that can be gone for a while: what clients see of a server that is down."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

__all__ = ["Proxy"]


class Proxy:
    """Forwards ``port`` to ``target`` while it is up; while it is down nothing listens and open connections break."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._open: list[socket.socket] = []
        self._listener = self._listen(0)
        self.port: int = self._listener.getsockname()[1]
        self.served = 0
        self.fault = ""
        self._up = True
        self._start(self._listener)

    def _listen(self, port: int) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(50)
        return listener

    def _start(self, listener: socket.socket) -> None:
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                if not self._up:
                    client.close()
                    continue
                if self.fault:
                    threading.Thread(target=self._fail, args=(client, self.fault), daemon=True).start()
                    continue
                self.served += 1
                server = socket.create_connection(self._target)
                self._open += [client, server]
                for one, other in ((client, server), (server, client)):
                    threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _fail(self, client: socket.socket, fault: str) -> None:
        """``hang``: take the question and never answer; else a status, such as 500: answer with that."""
        self._open.append(client)
        if fault == "hang":
            return
        with suppress(OSError):
            client.recv(65536)
            answer = f"HTTP/1.1 {fault} planted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            client.sendall(answer.encode())
            client.close()

    @staticmethod
    def _pump(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while found := one.recv(65536):
                other.sendall(found)
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def fail(self, fault: str) -> None:
        """Be there and useless until told otherwise (with ``""``); open connections break."""
        self.fault = fault
        self._break(self._open)

    def down(self) -> None:
        """Be gone."""
        self._up = False
        self._break([self._listener, *self._open])

    def _break(self, sockets: list[socket.socket]) -> None:
        for one in sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def up(self) -> None:
        """Be back on the same port."""
        self._listener = self._listen(self.port)
        self._up = True
        self._start(self._listener)
