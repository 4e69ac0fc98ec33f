"""Room on the disk for what does not fit into memory: unlinked temporary files, gone with the process."""

from __future__ import annotations

import os
import tempfile
from typing import IO

from gateway.model.errors import SpillFull

__all__ = ["DiskSpill"]


class DiskSpill:
    """``SpillFile`` in ``folder`` (the system's own for temporary files if empty); made when first written to."""

    def __init__(self, folder: str = "") -> None:
        self._folder = folder or None
        self._file: IO[bytes] | None = None
        self._end = 0

    def append(self, content: bytes) -> int:
        """See ``SpillFile``. SpillFull."""
        place = self._end
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - as long as its owner
            written = 0
            while written < len(content):
                written += os.pwrite(self._file.fileno(), content[written:], place + written)
        except OSError as error:
            where = self._folder or tempfile.gettempdir()
            hint = "make room there, or set spill_folder to a larger disk; it is tried again"
            raise SpillFull(f"no room for a large transaction: {error.strerror}", where=where, hint=hint) from error
        self._end = place + len(content)
        return place

    def read(self, place: int, size: int) -> bytes:
        """See ``SpillFile``."""
        assert self._file is not None
        return os.pread(self._file.fileno(), size, place)

    def close(self) -> None:
        """See ``SpillFile``."""
        if self._file is not None:
            self._file.close()
            self._file = None
