"""The list of pinned files, connect/jars.yaml."""

from dataclasses import dataclass
from functools import cache

import yaml

from gateway.shipped import shipped

__all__ = ["JARS", "Pin", "pins", "versions"]

JARS = shipped("connect/jars.yaml")


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
        """Read `group:artifact:version[:classifier:packaging]`; raises TypeError or ValueError for another form."""
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
