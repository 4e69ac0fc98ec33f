"""What to capture, thought out from the mappings: names, keys, renames and routes. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.mapping.compiled import CompiledMapping, Table
from gateway.model.capture import CapturedTable
from gateway.model.errors import ConfigError
from gateway.pipeline.messages import MESSAGE_TABLE

__all__ = ["CapturePlan", "KeyRename", "MessageRoute", "Route", "capture_plan", "identifier"]

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class KeyRename:
    """Tables whose key columns get the same domain names: ``renames`` as ReplaceField wants them."""

    name: str
    renames: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Route:
    """Tables (as a pattern over Debezium's own topic names) that go to one raw topic."""

    name: str
    pattern: str
    topic: str


@dataclass(frozen=True, slots=True)
class MessageRoute:
    """Logical messages (``pg_logical_emit_message``) whose prefix is an aggregate's id go to its raw topic.

    ``pattern``: the connector's own topic for them. ``key``: the aggregate's one key column, by its domain name; with
    ``whole_number`` the prefix becomes one, as in the keys of the tables' rows. ``prefixes``: what may be an id.
    """

    pattern: str
    key: str
    whole_number: bool
    topic: str

    @property
    def prefixes(self) -> str:
        """Debezium's ``message.prefix.include.list``: other prefixes are not for us and would not fit the key.

        At most 18 characters: more do not fit the number that the key becomes, and would stop the connector. No comma
        may stand here: the option is a list.
        """
        return "(?!.{19})-?[0-9]+" if self.whole_number else "(?!gateway$).+"


@dataclass(frozen=True, slots=True)
class CapturePlan:
    """Everything about one installation's capture that follows from its prefix and its mappings.

    Topic names have the prefix. ``slot``, ``publication`` and ``role`` are PostgreSQL identifiers of their own for
    each prefix.
    """

    source_name: str
    connector: str
    slot: str
    publication: str
    role: str
    transaction_topic: str
    heartbeat_prefix: str
    tables: tuple[CapturedTable, ...]
    renames: tuple[KeyRename, ...]
    routes: tuple[Route, ...]
    messages: MessageRoute | None = None

    @property
    def heartbeat_topic(self) -> str:
        """Where signs of life go."""
        return f"{self.heartbeat_prefix}.{self.source_name}"

    @property
    def include_list(self) -> str:
        """Debezium's ``table.include.list``: patterns, comma-separated."""
        return ",".join(re.escape(table.name) for table in self.tables)

    @property
    def message_key_columns(self) -> str:
        """Debezium's ``message.key.columns``."""
        return ";".join(f"{re.escape(one.name)}:{','.join(raw for raw, _ in one.key)}" for one in self.tables)

    @property
    def transforms(self) -> tuple[str, ...]:
        """Names of the transforms in their order: keys first, while the topic still tells the table."""
        told = () if self.messages is None else ("messages", *(("number",) if self.messages.whole_number else ()))
        routes = (*(one.name for one in self.routes), *(("routed",) if self.messages else ()))
        return (*(one.name for one in self.renames), *told, *routes)

    @property
    def predicates(self) -> tuple[str, ...]:
        """Names of the predicates: what the transforms of keys are for."""
        return (*(one.name for one in self.renames), *(("messages",) if self.messages else ()))

    @property
    def markers_pattern(self) -> str:
        """Topics of one partition that the connector writes: transactions and signs of life."""
        return f"{re.escape(self.transaction_topic)},{re.escape(self.heartbeat_topic)}"


def capture_plan(mappings: Iterable[CompiledMapping], *, prefix: str, topic_prefix: str, user: str) -> CapturePlan:
    """The plan of the installation ``prefix``. ``user``: the capture role's name, without the prefix.

    Raises ConfigError: a name that Kafka or Debezium cannot take, a key column that is a part of another, no tables.
    """
    source = f"{prefix}{topic_prefix}"
    if not _TOPIC.fullmatch(source):
        raise ConfigError(f"{source!r} cannot stand in a topic's name", where="prefix, topic_prefix")
    mappings = tuple(mappings)
    tables = tuple(
        _captured(one, table, prefix)
        for one in mappings
        for table in one.tables.values()
        if table.physical != MESSAGE_TABLE
    )
    if not tables:
        raise ConfigError("the mappings name no tables: there is nothing to capture", where="mappings")
    return CapturePlan(
        source_name=source,
        connector=source,
        slot=identifier("gateway", source),
        publication=identifier("gateway", source),
        role=identifier(prefix, user) if prefix else user,
        transaction_topic=f"{source}.transaction",
        heartbeat_prefix=f"{prefix}__debezium-heartbeat",
        tables=tables,
        renames=_renames(tables, source),
        routes=_routes(tables, source),
        messages=next((_messages(one, prefix, source) for one in mappings if MESSAGE_TABLE in one.tables), None),
    )


def _captured(mapping: CompiledMapping, table: Table, prefix: str) -> CapturedTable:
    if not _TABLE.fullmatch(table.physical):
        raise ConfigError(f"{table.physical!r} is not a plain schema.table", where=mapping.file)
    key = tuple((_raw_column(mapping, table, name), name) for name in mapping.key)
    return CapturedTable(table.physical, f"{prefix}{mapping.topics[0]}", key)


def _messages(mapping: CompiledMapping, prefix: str, source: str) -> MessageRoute:
    """The loader allows one mapping with a table ``message``: a prefix says which aggregate, not of which type."""
    if len(mapping.key) > 1:
        raise ConfigError(
            f"messages cannot be keyed by {len(mapping.key)} columns ({', '.join(mapping.key)})",
            where=mapping.file,
            hint="take a context table instead: `gateway scaffold context-table`",
        )
    key = mapping.key[0]
    column = mapping.tables[MESSAGE_TABLE].columns.get(key)
    if column is None or column.raw != key:
        hint = f"the prefix arrives under the key's own name: `{key}: {{type: …}}`"
        raise ConfigError(f"the table message has no column {key}", where=mapping.file, hint=hint)
    pattern = f"^{re.escape(source)}\\.message$"
    return MessageRoute(pattern, key, column.type == "int", f"{prefix}{mapping.topics[0]}")


def _raw_column(mapping: CompiledMapping, table: Table, name: str) -> str:
    column = table.columns.get(name)
    if column is None or column.part is not None:
        what = f"{table.physical} has no column of its own for the key {name}"
        raise ConfigError(what, where=mapping.file, hint="declare one column `as: " + name + "` in every table")
    return column.raw


def _renames(tables: tuple[CapturedTable, ...], source: str) -> tuple[KeyRename, ...]:
    """One rename for all tables that share it; none where the legacy names are the domain's."""
    groups: dict[str, list[str]] = {}
    for table in tables:
        renames = ",".join(f"{raw}:{name}" for raw, name in table.key if raw != name)
        if renames:
            groups.setdefault(renames, []).append(table.name)
    return tuple(
        KeyRename(f"key{number}", renames, _pattern(source, names))
        for number, (renames, names) in enumerate(groups.items(), start=1)
    )


def _routes(tables: tuple[CapturedTable, ...], source: str) -> tuple[Route, ...]:
    groups: dict[str, list[str]] = {}
    for table in tables:
        groups.setdefault(table.topic, []).append(table.name)
    return tuple(
        Route(f"route{number}", _pattern(source, names), topic)
        for number, (topic, names) in enumerate(groups.items(), start=1)
    )


def _pattern(source: str, names: list[str]) -> str:
    """Debezium's own topic names of these tables, and nothing else.

    Anchored: RegexRouter replaces the first find, so ``cust`` would cut ``cust_addr`` short.
    """
    return f"^{re.escape(source)}\\.(?:{'|'.join(map(re.escape, names))})$"


def identifier(*parts: str) -> str:
    """A PostgreSQL identifier (slots allow ``[a-z0-9_]`` only, 63 bytes) that two different inputs never share."""
    text = "_".join(part for part in parts if part)
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    if plain == text and len(plain) <= 63:
        return plain
    return f"{plain[:54]}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"
