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
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import requests
import stamina
import yaml
from jgo.maven import Artifact, MavenContext

from gateway.stack.errors import StackError

__all__ = ["Pin", "Store", "pins", "versions"]

JARS = Path(__file__).parents[2] / "connect" / "jars.yaml"
REMEDY = "Check the network (or set GATEWAY_MAVEN_REPOSITORY to a mirror's URL) and run it again; what is there stays."


@dataclass(frozen=True, slots=True)
class Pin:
    """One file by coordinate, with the SHA-256 it must have (64 hexadecimal digits)."""

    group: str
    artifact: str
    version: str
    sha256: str
    classifier: str = ""
    packaging: str = "jar"

    @classmethod
    def parse(cls, coordinate: str, sha256: str) -> "Pin":
        """Read `group:artifact:version[:classifier:packaging]`; raises TypeError for another form."""
        group, artifact, version, *rest = coordinate.split(":")
        return cls(group, artifact, version, sha256, *rest)

    @property
    def coordinate(self) -> str:
        """The coordinate as it stands in the list."""
        rest = (self.classifier, self.packaging) if self.classifier else ()
        return ":".join((self.group, self.artifact, self.version, *rest))


@cache
def _listed() -> dict[str, dict[str, str]]:
    listed: dict[str, dict[str, str]] = yaml.safe_load(JARS.read_text())
    return listed


def pins(part: str) -> tuple[Pin, ...]:
    """Return the files of one part of the list (kafka, debezium, apicurio), in its order."""
    return tuple(Pin.parse(coordinate, sha256) for coordinate, sha256 in _listed()[part].items())


def versions() -> dict[str, str]:
    """Return the version of each part, for display and for the Compose file's test."""
    return dict(_listed()["versions"])


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

    def files(self, part: str) -> list[Path]:
        """Return the checked files of a part, fetched where they are missing.

        Raises StackError if one cannot be fetched or its checksum is wrong twice.
        """
        with self._alone(), ThreadPoolExecutor(8) as fetchers:
            if part not in self._checked:
                self._checked[part] = list(fetchers.map(self.file, pins(part)))
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

    def unpacked(self, part: str) -> Path:
        """Return the folder with the unpacked archives of a part, made on first use. Raises StackError."""
        fingerprint = hashlib.sha256("".join(pin.sha256 for pin in pins(part)).encode()).hexdigest()[:12]
        folder = self.root / "unpacked" / f"{part}-{fingerprint}"
        if not folder.exists():
            archives = self.files(part)
            with self._alone():
                if not folder.exists():
                    _unpack(archives, folder)
        return folder

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.root / ".lock"
        # another user's full cache can be read, too
        with path.open("w") if os.access(self.root, os.W_OK) else path.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _unpack(archives: list[Path], folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".draft-"))
    draft.chmod(0o755)
    try:
        for archive in archives:
            with tarfile.open(archive) as tar:
                tar.extractall(draft, filter="data")
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def fetch_by_coordinate(pin: Pin, repository: Path) -> Path:
    """Return the file's path below `repository`, fetched by jgo from its default (or the set) repository if absent.

    Raises StackError if that fails.
    """
    mirror = os.environ.get("GATEWAY_MAVEN_REPOSITORY")
    context = MavenContext(repo_cache=repository, remote_repos={"mirror": mirror} if mirror else None, timeout=60)
    component = context.project(pin.group, pin.artifact).at_version(pin.version)
    artifact = component.artifact(classifier=pin.classifier, packaging=pin.packaging)
    try:
        for attempt in stamina.retry_context(on=requests.RequestException, attempts=4, timeout=120):
            with attempt:
                return _resolve(artifact)
    except (requests.RequestException, RuntimeError, OSError) as error:
        raise StackError(pin.coordinate, f"could not be fetched: {error}", REMEDY) from error
    raise AssertionError("unreachable: the last attempt returns or raises")


def _resolve(artifact: Artifact) -> Path:
    try:
        return Path(artifact.resolve())
    except BaseException:
        # jgo writes in place: half a file must not be taken for a whole one by the next attempt
        if artifact.cached_path is not None:
            artifact.cached_path.unlink(missing_ok=True)
        raise
