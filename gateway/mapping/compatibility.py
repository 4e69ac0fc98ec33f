"""Whether two versions of an Avro contract can read each other (FULL compatibility), and where they cannot.

Stricter than Avro's own resolution in what a reader would get silently wrong: full names, logical types, decimals.
Own code, since the ``avro`` package's checker loses the place of a fault inside a union and looks at no logical type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

__all__ = ["ChangeKind", "Incompatibility", "compare", "subject_name"]

Path = tuple[str | int, ...]
"""Keys and indices from the root of the JSON text to a place in it."""

_NAMED = frozenset({"record", "enum", "fixed", "error"})
_PROMOTIONS = {
    "int": frozenset({"long", "float", "double"}),
    "long": frozenset({"float", "double"}),
    "float": frozenset({"double"}),
    "string": frozenset({"bytes"}),
    "bytes": frozenset({"string"}),
}


class ChangeKind(StrEnum):
    """What was done to a contract that breaks a reader."""

    NAME = "name changed"
    FIELD_ADDED = "field without default added"
    FIELD_REMOVED = "field without default removed"
    TYPE = "type changed"
    NULLABLE = "nullability changed"
    BRANCH = "branch of a union changed"
    LOGICAL_TYPE = "logical type changed"
    DECIMAL = "decimal changed"
    SYMBOL_ADDED = "enum symbol added"
    SYMBOL_REMOVED = "enum symbol removed"
    FIXED_SIZE = "size of a fixed changed"


@dataclass(frozen=True, slots=True)
class Incompatibility:
    """One thing that breaks: its kind, the field (dotted; '' for the record itself), why, its place in ``later``."""

    kind: ChangeKind
    field: str
    what: str
    path: Path


def subject_name(topic: str, record: str) -> str:
    """The subject of a record's schema under TopicRecordNameStrategy; ``topic`` with the installation's prefix."""
    return f"{topic}-{record}"


def compare(earlier: Mapping[str, object], later: Mapping[str, object]) -> tuple[Incompatibility, ...]:
    """All that keeps ``later`` from reading what ``earlier`` wrote, and the other way round; empty if nothing does.

    Both are parsed Avro schemas (JSON). Raises KeyError for a name that is not defined in its schema.
    """
    old, new = _Node.root(earlier), _Node.root(later)
    found = [*_Direction(reader_is_later=True).check(new, old, ""), *_Direction(False).check(old, new, "")]
    unique = {(fault.kind, fault.field, fault.path): fault for fault in reversed(found)}
    return tuple(sorted(unique.values(), key=lambda fault: [str(part).rjust(6, "0") for part in fault.path]))


@dataclass(frozen=True, slots=True)
class _Node:
    """A schema inside a contract: its kind (``union`` for a list), its JSON object, its place, its names."""

    kind: str
    body: Mapping[str, object]
    path: Path
    namespace: str
    names: dict[str, _Node]
    branches: tuple[_Node, ...] = ()

    @classmethod
    def root(cls, schema: object) -> _Node:
        return cls.of(schema, (), "", {})

    @classmethod
    def of(cls, schema: object, path: Path, namespace: str, names: dict[str, _Node]) -> _Node:
        """Read ``schema``; named types enter ``names`` with everything inside them."""
        if isinstance(schema, list):
            branches = tuple(cls.of(branch, (*path, i), namespace, names) for i, branch in enumerate(schema))
            return cls("union", {}, path, namespace, names, branches)
        if isinstance(schema, str):
            return names.get(_full_name(schema, namespace)) or names.get(schema) or cls(schema, {}, path, "", names)
        body = cast("Mapping[str, object]", schema)
        kind = body["type"]
        if not isinstance(kind, str) or kind in names or _full_name(kind, namespace) in names:
            return cls.of(kind, (*path, "type"), namespace, names)
        return cls._declared(kind, body, path, namespace, names)

    @classmethod
    def _declared(
        cls, kind: str, body: Mapping[str, object], path: Path, namespace: str, names: dict[str, _Node]
    ) -> _Node:
        if kind not in _NAMED:
            node = cls(kind, body, path, namespace, names)
        else:
            full = _full_name(str(body["name"]), str(body.get("namespace", namespace)))
            node = names[full] = cls(kind, body, path, full.rpartition(".")[0], names)
        for place, inner in node._parts():
            cls.of(inner, place, node.namespace, names)
        return node

    def _parts(self) -> Iterator[tuple[Path, object]]:
        for index, field in enumerate(self.fields):
            yield (*self.path, "fields", index, "type"), field["type"]
        for key in ("items", "values"):
            if key in self.body:
                yield (*self.path, key), self.body[key]

    @property
    def full_name(self) -> str:
        return _full_name(str(self.body["name"]), self.namespace) if self.kind in _NAMED else self.kind

    @property
    def fields(self) -> Sequence[Mapping[str, object]]:
        return cast("Sequence[Mapping[str, object]]", self.body.get("fields", ()))

    @property
    def symbols(self) -> Sequence[str]:
        return cast("Sequence[str]", self.body.get("symbols", ()))

    @property
    def logical(self) -> str:
        return str(self.body.get("logicalType", ""))

    @property
    def decimal(self) -> tuple[object, object]:
        return self.body.get("precision"), self.body.get("scale", 0)

    def at(self, *place: str | int) -> Path:
        return (*self.path, *place)

    def inner(self, *place: str | int) -> _Node:
        """The schema at ``place`` below this node, read with the names of the whole contract."""
        schema: object = self.body
        for step in place:
            schema = schema[step]  # type: ignore[index]
        if isinstance(schema, Mapping) and schema.get("type") in _NAMED:
            return self.names[_full_name(str(schema["name"]), str(schema.get("namespace", self.namespace)))]
        return _Node.of(schema, self.at(*place), self.namespace, self.names)


def _full_name(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


class _Direction:
    """Can ``reader`` read what ``writer`` wrote? Places are always those of the later contract."""

    def __init__(self, reader_is_later: bool) -> None:
        self.reader_is_later = reader_is_later
        self.seen: set[tuple[Path, Path]] = set()

    def check(self, reader: _Node, writer: _Node, field: str) -> Iterator[Incompatibility]:
        """Everything that keeps the reader from it, below this pair."""
        if (reader.path, writer.path) in self.seen:
            return
        if reader.kind == "record":
            self.seen.add((reader.path, writer.path))
        if writer.kind == "union":
            for branch in writer.branches:
                yield from self.check(reader, branch, field)
        elif reader.kind == "union":
            yield from self._into_union(reader, writer, field)
        elif reader.kind != writer.kind:
            yield from self._promotion(reader, writer, field)
        else:
            yield from self._same_kind(reader, writer, field)

    def _fault(
        self, kind: ChangeKind, reader: _Node, writer: _Node, field: str, what: str, *place: str | int
    ) -> Incompatibility:
        later = reader if self.reader_is_later else writer
        return Incompatibility(kind, field, what, later.at(*place))

    @property
    def _whom(self) -> str:
        return "the new version could not read earlier events" if self.reader_is_later else "earlier readers would fail"

    def _into_union(self, reader: _Node, writer: _Node, field: str) -> Iterator[Incompatibility]:
        same = [branch for branch in reader.branches if branch.full_name == writer.full_name]
        if same:
            yield from self.check(same[0], writer, field)
        elif all(any(True for _ in self.check(branch, writer, field)) for branch in reader.branches):
            what = f"{self._whom}: no branch of the union takes {writer.full_name}"
            yield self._fault(ChangeKind.BRANCH, reader, writer, field, what)

    def _promotion(self, reader: _Node, writer: _Node, field: str) -> Iterator[Incompatibility]:
        if writer.kind == "null":
            what = f"{self._whom}: null where {reader.full_name} is wanted"
            yield self._fault(ChangeKind.NULLABLE, reader, writer, field, what)
        elif reader.kind not in _PROMOTIONS.get(writer.kind, ()):
            what = f"{self._whom}: {writer.full_name} cannot be read as {reader.full_name}"
            yield self._fault(ChangeKind.TYPE, reader, writer, field, what)
        else:
            yield from self._logical(reader, writer, field)

    def _same_kind(self, reader: _Node, writer: _Node, field: str) -> Iterator[Incompatibility]:
        if reader.kind in _NAMED and not _same_name(reader, writer):
            what = f"{writer.full_name} and {reader.full_name} are different types to every reader"
            yield self._fault(ChangeKind.NAME, reader, writer, field, what, "name")
            return
        yield from self._logical(reader, writer, field)
        if reader.kind == "record":
            yield from self._fields(reader, writer, field)
        elif reader.kind == "enum":
            yield from self._symbols(reader, writer, field)
        elif reader.kind in ("array", "map"):
            key = "items" if reader.kind == "array" else "values"
            yield from self.check(reader.inner(key), writer.inner(key), f"{field}[]")
        elif reader.kind == "fixed" and reader.body["size"] != writer.body["size"]:
            what = f"{writer.body['size']} bytes cannot be read as {reader.body['size']}"
            yield self._fault(ChangeKind.FIXED_SIZE, reader, writer, field, what, "size")

    def _logical(self, reader: _Node, writer: _Node, field: str) -> Iterator[Incompatibility]:
        if reader.logical != writer.logical:
            what = f"{writer.logical or 'no logical type'} would be read as {reader.logical or 'no logical type'}"
            yield self._fault(ChangeKind.LOGICAL_TYPE, reader, writer, field, what)
        elif reader.logical == "decimal" and reader.decimal != writer.decimal:
            was, now = writer.decimal, reader.decimal
            what = f"decimal({was[0]},{was[1]}) would be read as decimal({now[0]},{now[1]})"
            yield self._fault(ChangeKind.DECIMAL, reader, writer, field, what)

    def _fields(self, reader: _Node, writer: _Node, field: str) -> Iterator[Incompatibility]:
        written = {str(body["name"]): index for index, body in enumerate(writer.fields)}
        for index, body in enumerate(reader.fields):
            name = str(body["name"])
            inner = f"{field}.{name}" if field else name
            aliases = cast("Sequence[str]", body.get("aliases", ()))
            found = next((written[known] for known in (name, *aliases) if known in written), None)
            if found is not None:
                place = ("fields", index, "type")
                yield from self.check(reader.inner(*place), writer.inner("fields", found, "type"), inner)
            elif "default" not in body:
                yield self._missing(reader, writer, inner, index)

    def _missing(self, reader: _Node, writer: _Node, field: str, index: int) -> Incompatibility:
        if self.reader_is_later:
            what = "earlier events lack it, and no default stands in for it"
            return self._fault(ChangeKind.FIELD_ADDED, reader, writer, field, what, "fields", index)
        what = "earlier readers want it, and their contract has no default for it"
        return self._fault(ChangeKind.FIELD_REMOVED, reader, writer, field, what, "fields")

    def _symbols(self, reader: _Node, writer: _Node, field: str) -> Iterator[Incompatibility]:
        if reader.body.get("default") in reader.symbols:
            return
        for index, symbol in enumerate(writer.symbols):
            if symbol in reader.symbols:
                continue
            if self.reader_is_later:
                what = f"{symbol} stands in earlier events, and the new enum has no default"
                yield self._fault(ChangeKind.SYMBOL_REMOVED, reader, writer, field, what, "symbols")
            else:
                what = f"{symbol} is unknown to earlier readers, and their enum has no default"
                yield self._fault(ChangeKind.SYMBOL_ADDED, reader, writer, field, what, "symbols", index)


def _same_name(reader: _Node, writer: _Node) -> bool:
    aliases = cast("Sequence[str]", reader.body.get("aliases", ()))
    known = {_full_name(alias, reader.namespace) for alias in aliases}
    return reader.full_name == writer.full_name or writer.full_name in known
