"""A schema registry in memory that passes the same contract suite as the real one."""

from __future__ import annotations

import json
from collections.abc import Mapping

import avro.schema
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

from gateway.model.errors import ConfigError, DependencyError

__all__ = ["MemoryRegistry"]

Schema = Mapping[str, object]
_WHERE = "memory"


class MemoryRegistry:
    """Subjects, versions and ids of one registry. ``away`` True: every question ends in DependencyError."""

    def __init__(self) -> None:
        self.away = False
        self._subjects: dict[str, list[int]] = {}
        self._schemas: list[Schema] = []
        self._levels: dict[str, str] = {}

    def schema_id(self, subject: str, schema: Schema) -> int:
        """See ``SchemaRegistry``."""
        self._reach()
        for number in self._subjects.get(subject, ()):
            if self._schemas[number - 1] == schema:
                return number
        what = "is registered, but not with this contract" if subject in self._subjects else "is not registered"
        raise ConfigError(f"{subject} {what}", where=_WHERE, hint="run `gateway schemas push`")

    def schema(self, schema_id: int) -> Schema:
        """See ``SchemaRegistry``."""
        self._reach()
        if not 1 <= schema_id <= len(self._schemas):
            raise ConfigError(f"there is no schema {schema_id}", where=_WHERE)
        return self._schemas[schema_id - 1]

    def versions(self, subject: str) -> Mapping[int, Schema]:
        """Registered versions by number, oldest first."""
        self._reach()
        return {place: self._schemas[number - 1] for place, number in enumerate(self._subjects.get(subject, ()), 1)}

    def register(self, subject: str, schema: Schema) -> int:
        """Register, or find registered; ConfigError: incompatible."""
        if not self.accepts(subject, schema):
            raise ConfigError(f"{subject}: incompatible", where=_WHERE)
        if schema not in self._schemas:
            self._schemas.append(json.loads(json.dumps(schema)))
        number = self._schemas.index(schema) + 1
        held = self._subjects.setdefault(subject, [])
        if number not in held:
            held.append(number)
        return number

    def accepts(self, subject: str, schema: Schema) -> bool:
        """Whether ``register`` would succeed, by Avro's own resolution."""
        self._reach()
        earlier = self.versions(subject).values() if self._levels.get(subject) == "FULL_TRANSITIVE" else ()
        return all(_reads(schema, one) and _reads(one, schema) for one in earlier)

    def compatibility(self, subject: str) -> str:
        """The subject's own level, or ''."""
        self._reach()
        return self._levels.get(subject, "")

    def set_compatibility(self, subject: str, level: str) -> None:
        """Set the subject's level; FULL_TRANSITIVE is the only one that decides anything here."""
        self._reach()
        self._levels[subject] = level

    def _reach(self) -> None:
        if self.away:
            raise DependencyError("the registry does not answer", where=_WHERE)


def _reads(reader: Schema, writer: Schema) -> bool:
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]
    result = checker.get_compatibility(avro.schema.parse(json.dumps(reader)), avro.schema.parse(json.dumps(writer)))
    return result.compatibility is SchemaCompatibilityType.compatible
