"""Options of the connector that decide whether a change arrives, whole and readable. One declaration, pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.services.doctor_report import Finding, Severity

__all__ = ["garbling", "ill_chosen"]


@dataclass(frozen=True, slots=True)
class _Option:
    """``allowed``: its good values, the first is ours; ``default``: what Debezium or Connect take if it is not set."""

    allowed: tuple[str, ...]
    default: str
    reason: str
    severity: Severity = Severity.ERROR


_DECIDING: Mapping[str, _Option] = {
    "exactly.once.support": _Option(
        ("required",), "requested", "records may come twice or be torn apart, and only a successor closes a transaction"
    ),
    "errors.tolerance": _Option(("none",), "none", "Connect drops records that it cannot convert"),
    "provide.transaction.metadata": _Option(
        ("true",), "false", "the end of a transaction is not told: a quiet tail is held until another change comes"
    ),
    "event.converting.failure.handling.mode": _Option(
        ("fail",), "warn", "a value that cannot be converted is left out, with a warning in Connect's log"
    ),
    "decimal.handling.mode": _Option(
        ("string",), "precise", "numbers come as binary (precise) or rounded (double): amounts are garbled"
    ),
    "time.precision.mode": _Option(
        ("isostring",), "adaptive", "dates and times come as bare numbers whose unit depends on the column"
    ),
    "binary.handling.mode": _Option(
        ("bytes",), "bytes", "with base64 a large value that an update did not touch comes as null, like a real null"
    ),
    "interval.handling.mode": _Option(("string", "numeric"), "numeric", "intervals cannot be read", Severity.WARNING),
    "include.unknown.datatypes": _Option(
        ("true",), "false", "columns of types that Debezium does not know are left out"
    ),
    "value.converter.replace.null.with.default": _Option(
        ("false",), "true", "a null in a column with a default arrives as that default"
    ),
    "key.converter.schemas.enable": _Option(("false",), "true", "key bytes differ: aggregates go to other partitions"),
    "skipped.operations": _Option(("none",), "t", "truncates and others are not told"),
    "tombstones.on.delete": _Option(
        ("false",), "true", "a delete is followed by a tombstone that nobody needs", Severity.WARNING
    ),
    "publication.autocreate.mode": _Option(
        ("disabled",), "all_tables", "the connector may change what is published", Severity.WARNING
    ),
    "snapshot.mode": _Option(
        ("initial", "always", "when_needed"), "initial", "rows that exist already are never told", Severity.WARNING
    ),
    "heartbeat.interval.ms": _Option((), "0", "the slot does not move while the captured tables are quiet"),
}
_GARBLING = frozenset(
    {
        "connector.class", "database.dbname", "database.hostname", "database.port", "key.converter", "plugin.name",
        "message.key.columns", "predicates", "publication.name", "slot.name", "table.include.list", "topic.prefix",
        "transforms", "value.converter", "value.converter.schemas.enable", "unavailable.value.placeholder", "tasks.max",
    }
)  # fmt: skip
_GARBLING_HEADS = ("transforms.", "predicates.", "column.", "table.exclude", "schema.exclude", "schema.include")


def garbling(option: str) -> bool:
    """Whether another value of this option than the planned one would lose or garble changes."""
    known = _DECIDING.get(option)
    return option in _GARBLING or option.startswith(_GARBLING_HEADS) or (
        known is not None and known.severity is Severity.ERROR
    )  # fmt: skip


def ill_chosen(where: str, config: Mapping[str, str]) -> Iterator[Finding]:
    """Findings about options of a connector that lose or garble changes, whoever chose them."""
    for name, option in _DECIDING.items():
        value = config.get(name, option.default)
        bad = value == "0" if name == "heartbeat.interval.ms" else value not in option.allowed
        if bad:
            wanted = option.allowed[0] if option.allowed else "1000"
            remedy = (
                f"take `{name}` out of `options:` in connect/settings.yaml (wanted: {wanted}); gateway connect apply"
            )
            yield Finding(option.severity, where, f"{name} is {value}: {option.reason}", remedy)
    for name in sorted(config):
        if name.startswith(_LEAVES_OUT):
            remedy = f"take `{name}` out of `options:` in connect/settings.yaml; gateway connect apply"
            reason = f"{name} leaves out, masks or cuts columns: the mappings would read what legacy never wrote"
            yield Finding(Severity.ERROR, where, reason, remedy)


_LEAVES_OUT = ("column.exclude.", "column.include.", "column.mask.", "column.truncate.")
