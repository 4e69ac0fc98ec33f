"""Contracts: Avro schemas as the templates see them, read from ``events/<Event>.v<N>.avsc`` beside the mapping."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro

from gateway.mapping.nodes import Faults, Mark

__all__ = [
    "NO_DEFAULT",
    "ArrayOf",
    "Avro",
    "Contract",
    "EnumOf",
    "MapOfValues",
    "Plain",
    "RecordOf",
    "UnionOf",
    "branches_of",
    "native_default",
    "read_contract",
]

NO_DEFAULT: object = object()
PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
_BASES = {
    "decimal": ("bytes", "fixed"),
    "date": ("int",),
    "timestamp-millis": ("long",),
    "timestamp-micros": ("long",),
}
"""Logical types and what they may stand on; elsewhere Avro says to ignore them."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Plain:
    """A primitive or fixed type, with its logical type (decimal, date, timestamp-millis, timestamp-micros) or ''."""

    name: str
    logical: str = ""
    precision: int = 0
    scale: int = 0
    size: int = 0

    def __str__(self) -> str:
        if self.logical == "decimal":
            return f"decimal({self.precision},{self.scale})"
        return self.logical or self.name


@dataclass(frozen=True, slots=True)
class EnumOf:
    """An enum and its symbols."""

    name: str
    symbols: tuple[str, ...]

    def __str__(self) -> str:
        return f"enum {self.name}"


@dataclass(frozen=True, slots=True)
class ArrayOf:
    """An array."""

    items: Avro

    def __str__(self) -> str:
        return f"array of {self.items}"


@dataclass(frozen=True, slots=True)
class MapOfValues:
    """A map from text."""

    values: Avro

    def __str__(self) -> str:
        return f"map of {self.values}"


@dataclass(slots=True)
class RecordOf:
    """A record: its full name, and type and default (or ``NO_DEFAULT``) of each field."""

    full_name: str
    fields: dict[str, tuple[Avro, object]]

    @property
    def name(self) -> str:
        """The name without its namespace."""
        return self.full_name.rpartition(".")[2]

    def __str__(self) -> str:
        return f"record {self.name}"


@dataclass(frozen=True, slots=True)
class UnionOf:
    """A union; ``nullable`` when null is one of its branches."""

    branches: tuple[Avro, ...]

    def __str__(self) -> str:
        return " or ".join(map(str, self.branches))


Avro = Plain | EnumOf | ArrayOf | MapOfValues | RecordOf | UnionOf


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract: the schema as JSON, the record as templates see it, and the file it came from."""

    file: str
    schema: Mapping[str, object]
    record: RecordOf


def branches_of(avro: Avro) -> tuple[tuple[Avro, ...], bool]:
    """The branches that are not null, and whether null is allowed."""
    branches = avro.branches if isinstance(avro, UnionOf) else (avro,)
    rest = tuple(branch for branch in branches if not (isinstance(branch, Plain) and branch.name == "null"))
    return rest, len(rest) < len(branches)


def read_contract(path: Path, shown: str, event: str, version: int) -> tuple[Contract | None, Faults]:
    """Read and check one contract file of at most 1 MB; what is wrong stands in the faults."""
    faults = Faults(shown)
    content = path.read_bytes()
    try:
        if len(content) > 1_000_000:
            raise ValueError("the contract is larger than 1 MB")
        faults.text = content.decode("utf-8")
        schema = json.loads(faults.text)
        if not isinstance(schema, dict) or schema.get("type") != "record":
            raise ValueError("a contract is one Avro record")
        fastavro.parse_schema(json.loads(faults.text))
        record = _Reader().read(schema, "")
    except json.JSONDecodeError as error:
        faults.add(Mark(error.lineno, error.colno), f"not JSON: {error.msg}", "mend the contract's JSON here")
        return None, faults
    except RecursionError:
        faults.add(Mark(1, 1), "the contract is nested too deeply", "flatten its records")
        return None, faults
    except _MisnamedError as error:
        faults.add(_place(faults.text, json.dumps(error.word)), str(error), "see the Avro specification")
        return None, faults
    except (ValueError, KeyError, TypeError, AttributeError, fastavro.schema.SchemaParseException) as error:
        faults.add(Mark(1, 1), f"not an Avro schema: {error!r}"[:300], "see the Avro specification")
        return None, faults
    assert isinstance(record, RecordOf)
    _names(record, faults, event, version)
    return Contract(shown, schema, record), faults


def _names(record: RecordOf, faults: Faults, event: str, version: int) -> None:
    if record.name != event:
        place = _place(faults.text, f'"{record.name}"')
        faults.add(place, f"the record is called {record.name}", f"the file says {event}")
    namespace = record.full_name.rpartition(".")[0]
    if not namespace.endswith(f".v{version}"):
        place = _place(faults.text, f'"{namespace}"')
        faults.add(place, f"the namespace `{namespace}` does not end in .v{version}", "the file name says the version")


def _place(text: str, word: str) -> Mark:
    index = max(text.find(word), 0)
    return Mark(text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))


class _MisnamedError(ValueError):
    """A name that Avro forbids; ``word`` finds its place."""

    def __init__(self, word: object, what: str) -> None:
        super().__init__(what)
        self.word = word


def _name(word: object, what: str) -> str:
    if not isinstance(word, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", word):
        raise _MisnamedError(word, f"{what} cannot be called {word!r}"[:200])
    return word


class _Reader:
    """Reads Avro JSON; named types are known from where they are defined on."""

    def __init__(self) -> None:
        self.named: dict[str, Avro] = {}

    def read(self, schema: Any, namespace: str) -> Avro:
        if isinstance(schema, str):
            full = schema if "." in schema or not namespace else f"{namespace}.{schema}"
            return self.named.get(full) or self.named.get(schema) or _plain({}, schema)
        if isinstance(schema, list):
            return UnionOf(tuple(self.read(branch, namespace) for branch in schema))
        kind = schema["type"]
        if not isinstance(kind, str) or kind in self.named:
            return self.read(kind, namespace)
        if kind == "array":
            return ArrayOf(self.read(schema["items"], namespace))
        if kind == "map":
            return MapOfValues(self.read(schema["values"], namespace))
        if kind in ("record", "enum", "fixed"):
            return self._named(schema, kind, namespace)
        return _plain(schema, kind)

    def _named(self, schema: Any, kind: str, namespace: str) -> Avro:
        namespace = schema.get("namespace", namespace)
        full = schema["name"] if "." in schema["name"] or not namespace else f"{namespace}.{schema['name']}"
        _name(full.rpartition(".")[2], f"the {kind}")
        if kind == "enum":
            symbols = tuple(_name(symbol, "a symbol") for symbol in schema["symbols"])
            if len(set(symbols)) < len(symbols) or not symbols:
                raise _MisnamedError(schema["name"], "an enum has distinct symbols")
            self.named[full] = EnumOf(full.rpartition(".")[2], symbols)
        elif kind == "fixed":
            self.named[full] = _plain(schema, kind)
        else:
            record = RecordOf(full, {})
            self.named[full] = record
            for each in schema["fields"]:
                default = each.get("default", NO_DEFAULT)
                name = _name(each["name"], "a field")
                if name in record.fields:
                    raise _MisnamedError(name, f"two fields are called {name}")
                record.fields[name] = (self.read(each["type"], full.rpartition(".")[0]), default)
        return self.named[full]


def _plain(schema: Any, kind: str) -> Plain:
    logical = schema.get("logicalType", "")
    if kind not in PRIMITIVES and kind != "fixed":
        raise _MisnamedError(kind, f"there is no type {kind!r}"[:200])
    known = isinstance(logical, str) and kind in _BASES.get(logical, ())
    precision, scale = schema.get("precision", 0), schema.get("scale", 0)
    if known and logical == "decimal" and not (_whole(precision) and _whole(scale) and scale <= precision > 0):
        raise _MisnamedError("decimal", "a decimal has a precision of at least 1 and a scale of at most the precision")
    size = schema.get("size", 0)
    return Plain(kind, logical, precision, scale, size) if known else Plain(kind, size=size)


def _whole(number: object) -> bool:
    return type(number) is int and number >= 0


def native_default(avro: Avro, default: object) -> object:
    """A field's default as the value fastavro writes. Raises ValueError where the default does not fit the type."""
    if isinstance(avro, UnionOf):
        return _union_default(avro, default)
    if isinstance(avro, RecordOf):
        given = default if isinstance(default, dict) else {}
        return {name: native_default(field, given.get(name, own)) for name, (field, own) in _fields_with(avro, given)}
    if isinstance(avro, ArrayOf) and isinstance(default, list):
        return [native_default(avro.items, each) for each in default]
    if isinstance(avro, MapOfValues) and isinstance(default, dict):
        return {name: native_default(avro.values, each) for name, each in default.items()}
    if isinstance(avro, EnumOf) and default in avro.symbols:
        return default
    if isinstance(avro, Plain):
        return _plain_default(avro, default)
    raise ValueError(f"the default {default!r} is no {avro}")


def _fields_with(record: RecordOf, given: Mapping[str, object]) -> Iterator[tuple[str, tuple[Avro, object]]]:
    for name, (field, own) in record.fields.items():
        if name not in given and own is NO_DEFAULT:
            raise ValueError(f"the default lacks {record.name}.{name}")
        yield name, (field, own)


def _union_default(avro: UnionOf, default: object) -> object:
    for branch in avro.branches:
        try:
            return native_default(branch, default)
        except ValueError:
            continue
    raise ValueError(f"the default {default!r} is no {avro}")


def _plain_default(avro: Plain, default: object) -> object:
    wanted = {
        "null": type(None),
        "boolean": bool,
        "int": int,
        "long": int,
        "float": (int, float),
        "double": (int, float),
        "string": str,
        "bytes": str,
        "fixed": str,
    }
    known: Any = wanted[avro.name]
    if not isinstance(default, known) or (isinstance(default, bool) and avro.name != "boolean"):
        raise ValueError(f"the default {default!r} is no {avro}")
    if isinstance(default, str) and avro.name in ("bytes", "fixed"):
        raw = default.encode("latin-1")
        return Decimal(int.from_bytes(raw, "big", signed=True)).scaleb(-avro.scale) if avro.logical else raw
    if isinstance(default, int) and avro.logical == "date":
        return dt.date(1970, 1, 1) + dt.timedelta(days=default)
    if isinstance(default, int) and avro.logical.startswith("timestamp"):
        step = dt.timedelta(milliseconds=1) if avro.logical == "timestamp-millis" else dt.timedelta(microseconds=1)
        return _EPOCH + default * step
    return default


def event_files(folder: Path, event: str) -> dict[int, Path]:
    """The contract files of an event in an ``events`` folder, by version."""
    found = {}
    for path in folder.glob(f"{event}.v*.avsc"):
        if match := re.fullmatch(re.escape(event) + r"\.v([1-9][0-9]{0,3})\.avsc", path.name):
            found[int(match[1])] = path
    return found
