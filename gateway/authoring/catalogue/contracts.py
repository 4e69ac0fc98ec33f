"""Contract fields for people: nested records flattened to paths, types in words, personal data marked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.authoring.catalogue.nouns import FieldEntry, VersionEntry

__all__ = ["fields_of", "is_personal", "minor_versions"]

_PERSONAL = re.compile(r"personal data", re.IGNORECASE)
_KINDS = {"string": "text", "boolean": "true or false", "bytes": "bytes", "null": "null"}


def is_personal(schema: Mapping[str, Any]) -> bool:
    """Whether a field or record says that it is personal data: ``"pii": true``, or in its documentation."""
    return schema.get("pii") is True or _PERSONAL.search(str(schema.get("doc", ""))) is not None


def fields_of(schema: Mapping[str, Any]) -> tuple[FieldEntry, ...]:
    """All fields of a contract in their order, those of nested records behind the field they stand in."""
    return tuple(_Fields().of_record(schema, "", 0, False))


class _Fields:
    """Walks a contract; named types are known from where they are defined on."""

    def __init__(self) -> None:
        self.named: dict[str, Any] = {}

    def of_record(self, record: Mapping[str, Any], before: str, depth: int, personal: bool) -> Iterator[FieldEntry]:
        personal = personal or is_personal(record)
        for each in record["fields"]:
            self._learn(each["type"])
            pii = personal or is_personal(each)
            default = json.dumps(each["default"], ensure_ascii=False) if "default" in each else ""
            path = f"{before}{each['name']}"
            inner, suffix = self._inner(each["type"])
            yield FieldEntry(
                path, each["name"], depth, self.words(each["type"]), str(each.get("doc", "")), pii, default,
                self._symbols(each["type"]),
            )  # fmt: skip
            if inner is not None and depth < 6:
                yield from self.of_record(inner, f"{path}{suffix}.", depth + 1, pii)

    def _learn(self, schema: Any) -> None:
        for each in schema if isinstance(schema, list) else [schema]:
            if isinstance(each, Mapping):
                if "name" in each:
                    self.named[str(each["name"]).rpartition(".")[2]] = each
                self._learn(each.get("items", each.get("values", "null")))

    def _resolved(self, schema: Any) -> Any:
        return self.named.get(schema.rpartition(".")[2], schema) if isinstance(schema, str) else schema

    def _inner(self, schema: Any) -> tuple[Mapping[str, Any] | None, str]:
        for each in schema if isinstance(schema, list) else [schema]:
            found = self._resolved(each)
            if isinstance(found, Mapping):
                if found.get("type") == "record":
                    return found, ""
                if found.get("type") in ("array", "map"):
                    inner, suffix = self._inner(found.get("items", found.get("values")))
                    return inner, f"[]{suffix}"
        return None, ""

    def _symbols(self, schema: Any) -> tuple[str, ...]:
        for each in schema if isinstance(schema, list) else [schema]:
            found = self._resolved(each)
            if isinstance(found, Mapping):
                if found.get("type") == "enum":
                    return tuple(found["symbols"])
                if found.get("type") in ("array", "map"):
                    return self._symbols(found.get("items", found.get("values")))
        return ()

    def words(self, schema: Any) -> str:
        """A type in words: ``date or null``, ``list of Place``."""
        if isinstance(schema, list):
            branches = [each for each in schema if each != "null"]
            return " or ".join([*map(self.words, branches), *(["null"] if len(branches) < len(schema) else [])])
        found = self._resolved(schema)
        if isinstance(found, str):
            return _KINDS.get(found, found)
        kind, logical = found.get("type"), found.get("logicalType")
        if kind == "array":
            return f"list of {self.words(found['items'])}"
        if kind == "map":
            return f"map of {self.words(found['values'])}"
        if logical == "decimal":
            return f"decimal({found['precision']},{found.get('scale', 0)})"
        if logical:
            return str(logical).replace("timestamp-millis", "time (ms)").replace("timestamp-micros", "time (µs)")
        return str(found["name"]) if "name" in found else self.words(kind)


def minor_versions(folder: Path, event: str, version: int, current: Mapping[str, Any]) -> tuple[VersionEntry, ...]:
    """The minor versions of a contract, the newest (which is filled now) first; the others from ``events/history``."""
    found: list[tuple[int, Mapping[str, Any], str]] = []
    for path in (folder / "history").glob(f"{event}.v{version}.*.avsc"):
        if match := re.fullmatch(rf"{re.escape(event)}\.v{version}\.(\d+)\.avsc", path.name):
            found.append((int(match[1]), json.loads(path.read_text("utf-8")), f"history/{path.name}"))
    found.sort(key=lambda each: each[0])
    found.append((found[-1][0] + 1 if found else 0, current, f"{event}.v{version}.avsc"))
    entries: list[VersionEntry] = []
    before: Sequence[str] | None = None
    for minor, schema, file in found:
        paths = _paths(schema)
        added = () if before is None else tuple(path for path in paths if path not in before)
        full = f"{schema.get('namespace', '')}.{schema['name']}"
        state = "published" if schema is current else "earlier"
        entries.append(VersionEntry(f"v{version}.{minor}", state, full, added, file=file))
        before = paths
    return tuple(reversed(entries))


def _paths(schema: Mapping[str, Any]) -> Sequence[str]:
    return [each.path for each in fields_of(schema)]
