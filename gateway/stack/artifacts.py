"""The pinned jars: fetched by coordinate into a cache, checked against their checksums, archives unpacked."""

import fcntl
import hashlib
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.stack.download import fetch_by_coordinate
from gateway.stack.errors import StackError
from gateway.stack.pins import Pin, pins

__all__ = ["Store"]

# Python before 3.11.4 knows no filters; the archives are the listed ones byte for byte either way.
_FILTER: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


def digest(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Store:
    """The cache folder: files as a Maven repository lays them out, and unpacked archives beside them.

    Several processes may use it at once; a file is handed out only if its checksum is the listed one.
    """

    def __init__(self, root: Path, fetch: Callable[[Pin, Path], Path] | None = None) -> None:
        self.root = root
        self._fetch = fetch or fetch_by_coordinate
        self._checked: dict[str, list[Path]] = {}

    def files(self, part: str, tell: Callable[[str], None] | None = None) -> list[Path]:
        """Return the checked files of a part, fetched where they are missing; `tell` hears how far it is.

        Raises StackError if one cannot be fetched or its checksum is wrong twice.
        """
        wanted = pins(part)
        with self._alone(part), ThreadPoolExecutor(8) as fetchers:
            if part not in self._checked:
                found = []
                for path in fetchers.map(self.file, wanted):
                    found.append(path)
                    if tell:
                        tell(f"{len(found)} of {len(wanted)} files")
                self._checked[part] = found
            return self._checked[part]

    def file(self, pin: Pin) -> Path:
        """Return one checked file; a damaged one is fetched once more. Raises StackError."""
        path = self._fetch(pin, self.root / "maven")
        if digest(path) == pin.sha256:
            return path
        path.unlink()
        path = self._fetch(pin, self.root / "maven")
        found = digest(path)
        if found != pin.sha256:
            path.unlink()
            why = f"its SHA-256 is {found}, but connect/jars.yaml lists {pin.sha256}"
            raise StackError(pin.coordinate, why, "Somebody changed the file on its way: do not use it.")
        return path

    def unpacked(self, part: str, tell: Callable[[str], None] | None = None) -> Path:
        """Return the folder with the unpacked archives of a part, made on first use. Raises StackError."""
        fingerprint = hashlib.sha256("".join(pin.sha256 for pin in pins(part)).encode()).hexdigest()[:12]
        folder = self.root / "unpacked" / f"{part}-{fingerprint}"
        if not folder.exists():
            archives = self.files(part, tell)
            with self._alone(part):
                if not folder.exists():
                    _unpack(archives, folder)
        return folder

    @contextmanager
    def _alone(self, part: str) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        if not os.access(self.root, os.W_OK):
            # another user's full cache: it is only read
            yield
            return
        with (self.root / f".lock-{part}").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _unpack(archives: list[Path], folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".draft-"))
    draft.chmod(0o755)
    try:
        for archive in archives:
            with tarfile.open(archive) as tar:
                tar.extractall(draft, **_FILTER)  # noqa: S202 - checked above, byte for byte
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
