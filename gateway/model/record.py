"""What stands in a raw topic, byte for byte."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["Headers", "RawRecord"]

Headers = tuple[tuple[str, bytes | None], ...]


class RawRecord(Struct, frozen=True):
    """One record of a raw topic: original bytes, its place, its timestamp in milliseconds since the epoch."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    @property
    def place(self) -> str:
        """``topic[partition]@offset``, as shown to people."""
        return f"{self.topic}[{self.partition}]@{self.offset}"
