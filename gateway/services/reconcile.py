"""Reconcile consumers' rows with the legacy tables, as views written in SQL read them; parked aggregates apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from gateway.model.errors import ConfigError
from gateway.ports import Cluster, StateReader
from gateway.reconcile.compare import Comparison, ViewRow, compare
from gateway.services.state_topic import whole_state

__all__ = ["View", "ViewReader", "parked_aggregates", "read_projection", "read_views", "reconcile"]


class View(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One view of the legacy tables: its first ``key`` columns name a row, the very first is its aggregate's id."""

    aggregate: str
    query: str
    key: int = 1


class _Row(msgspec.Struct):
    view: str
    key: list[Any]
    values: dict[str, Any]


class ViewReader(Protocol):
    """A database that answers several queries in one snapshot."""

    def select(self, queries: Mapping[str, str]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """The rows of each query, by name. DependencyError, ConfigError."""
        ...


def read_views(path: Path) -> dict[str, View]:
    """The views of a YAML file: ``{name: {aggregate, query, key}}``. ConfigError if it is not such a file."""
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=dict[str, View])
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(
            f"no file of views: {error}", where=str(path), hint="name: {aggregate, query, key}"
        ) from error


def read_projection(path: Path, views: Mapping[str, View]) -> list[ViewRow]:
    """A consumer's rows, JSON Lines of ``{view, key, values}``. ConfigError names the line that is not one."""
    rows = []
    decoder = msgspec.json.Decoder(_Row)
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = decoder.decode(line)
                rows.append(_view_row(row.view, views[row.view].aggregate, row.key, row.values))
            except (msgspec.DecodeError, KeyError) as error:
                hint = "a line is {view, key, values}, its view one of " + ", ".join(views)
                raise ConfigError(f"no row of a view: {error}", where=f"{path}:{number}", hint=hint) from error
    return rows


def _view_row(view: str, aggregate: str, key: Sequence[Any], values: Mapping[str, Any]) -> ViewRow:
    return ViewRow(view, f"{aggregate}/{key[0]}", tuple(key), values)


def _legacy_rows(database: ViewReader, views: Mapping[str, View]) -> list[ViewRow]:
    answers = database.select({name: view.query for name, view in views.items()})
    rows = []
    for name, view in views.items():
        for answer in answers[name]:
            # through JSON, so that both sides have the same types: dates and decimals as text
            columns = msgspec.json.decode(msgspec.json.encode(answer))
            names = list(columns)
            key = [columns.pop(column) for column in names[: view.key]]
            rows.append(_view_row(name, view.aggregate, key, columns))
    return rows


def parked_aggregates(
    reader: StateReader, cluster: Cluster, topic: str, aggregates: Mapping[str, str]
) -> frozenset[str]:
    """``Type/id`` of every parked aggregate in the state ``topic``; ``aggregates``: aggregate type by raw topic.

    DependencyError if the topic cannot be read within half a minute.
    """
    return frozenset(_parked(whole_state(reader, cluster, topic), aggregates))


def _parked(entries: Mapping[bytes, bytes], aggregates: Mapping[str, str]) -> list[str]:
    keys = [msgspec.json.decode(key) for key in entries]
    return [f"{aggregates[key[1]]}/{key[3]}" for key in keys if key[0] == "park" and key[1] in aggregates]


def reconcile(
    database: ViewReader, views: Mapping[str, View], projection: Sequence[ViewRow], parked: frozenset[str]
) -> Comparison:
    """Compare a consumer's rows with what the views say now."""
    return compare(_legacy_rows(database, views), projection, parked)
