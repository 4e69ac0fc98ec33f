"""Free TCP ports on the loopback address."""

import contextlib
import random
import socket
from collections.abc import Iterable
from contextlib import ExitStack

__all__ = ["PORT_RANGE", "free_ports", "is_free"]

# Below the range from which systems take the near ends of outgoing connections (32768 and up on Linux): a port of
# a service that is down for a moment must not be taken by somebody's connection meanwhile.
PORT_RANGE = range(18_000, 32_000)


def _bound(port: int) -> socket.socket | None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with contextlib.suppress(OSError):
        listener.bind(("127.0.0.1", port))
        listener.listen(1)
        return listener
    listener.close()
    return None


def is_free(port: int) -> bool:
    """Say whether a server could listen on `port` of the loopback address now."""
    listener = _bound(port)
    if listener is None:
        return False
    listener.close()
    return True


def free_ports(names: Iterable[str], wanted: dict[str, int] | None = None) -> dict[str, int]:
    """Return a free port for each name, the wanted one where it is still free.

    All are held while the next is sought, so they differ. Raises OSError if no port of PORT_RANGE is free.
    """
    ports: dict[str, int] = {}
    candidates = iter(random.sample(PORT_RANGE, len(PORT_RANGE)))
    with ExitStack() as held:
        for name in names:
            first = [(wanted or {}).get(name, 0)]
            for port in (p for source in (first, candidates) for p in source if p):
                if listener := _bound(port):
                    held.enter_context(listener)
                    ports[name] = port
                    break
            else:
                raise OSError(f"no free port between {PORT_RANGE.start} and {PORT_RANGE.stop} for {name}")
    return ports
