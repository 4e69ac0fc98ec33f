"""Rows at one position: rows of a COPY share an LSN, page by page; only content tells a repeat (protocol.md 3.1)."""

from __future__ import annotations

import msgspec
import xxhash

from gateway.model.change import ChangeEvent, Image
from gateway.model.values import Unavailable

__all__ = ["Page"]


def _encode_unsent(value: object) -> object:
    if isinstance(value, Unavailable):
        return [value.value]
    raise TypeError(type(value).__name__)


_encoder = msgspec.json.Encoder(enc_hook=_encode_unsent, order="deterministic")


class Page:
    """The rows taken at the present position of the open transaction (at most a database page's worth)."""

    def __init__(self, keyed: frozenset[str]) -> None:
        self._keyed = keyed
        self._first: ChangeEvent | None = None
        self._contents: set[bytes] = set()

    def take(self, change: ChangeEvent, *, same_position: bool) -> None:
        """Remember a row; hashing waits until a second one comes to the same position, which is rare."""
        if same_position:
            self._contents.add(self._content(change))
        else:
            self._first = change
            if self._contents:
                self._contents = set()

    def is_new(self, change: ChangeEvent) -> bool:
        """Whether no row of the same content was taken at this position."""
        if not self._contents and self._first is not None:
            self._contents.add(self._content(self._first))
        return self._content(change) not in self._contents

    def _content(self, change: ChangeEvent) -> bytes:
        order = None if change.table in self._keyed else change.source.total_order
        images: tuple[Image | None, Image | None] = (change.before, change.after)
        return xxhash.xxh3_128_digest(_encoder.encode([change.table, change.operation, images, order]))
