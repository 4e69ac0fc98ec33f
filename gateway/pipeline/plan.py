"""A compiled mapping made ready to run: which rules can fire at all on a set of rows, worked out once and kept."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.mapping.compiled import CompiledMapping, Count, Pattern, RowOp, Rule
from gateway.model.lookup import ReferenceTables
from gateway.model.values import MISSING, Value
from gateway.pipeline.columns import TablePlan
from gateway.pipeline.rows import NetRow

__all__ = ["MappingPlan"]

_KEPT = 4096
_NEEDED = frozenset({Count.ONE, Count.AT_LEAST_ONE})


class MappingPlan:
    """One mapping, planned. Keeps caches, so build it once and use it for every change set.

    ``lookups``: reference data for whoever gives none of his own; ``derives``: some event has older versions beside it.
    """

    def __init__(self, mapping: CompiledMapping, lookups: ReferenceTables | None = None) -> None:
        self.mapping = mapping
        self.lookups = lookups
        self.derives = any(kind.also for kind in mapping.events.values())
        self.tables = {physical: TablePlan(table) for physical, table in mapping.tables.items()}
        self._physical = {table.name: physical for physical, table in mapping.tables.items()}
        self._physical.update({physical: physical for physical in mapping.tables})
        self._key_readers = {
            name: next((table.columns[name].read for table in mapping.tables.values() if name in table.columns), None)
            for name in mapping.key
        }
        self.awaited = {physical: self._awaited(physical) for physical in self.tables}
        self._for_shape: dict[object, tuple[Rule, ...]] = {}
        self.snapshot_tables = frozenset(
            self.physical(rule.anchor) for rule in mapping.rules if rule.anchor and RowOp.SNAPSHOT in rule.anchor.ops
        )

    def physical(self, pattern: Pattern) -> str:
        """The pattern's table as ``schema.table``."""
        return self._physical[pattern.table]

    def _awaited(self, physical: str) -> frozenset[str]:
        """Legacy columns of a table whose change some rule says an event of."""
        columns = self.tables[physical].columns
        patterns = [
            pattern
            for rule in self.mapping.rules
            if rule.event is not None
            for pattern in (*((rule.anchor,) if rule.anchor else ()), *rule.companions)
            if self.physical(pattern) == physical
        ]
        named = {name for pattern in patterns for name in (pattern.changed or frozenset()) | pattern.takes}
        named |= {test.column for pattern in patterns for test in pattern.where if test.transition}
        return frozenset(columns[name].raw for name in named if name in columns)

    def key(self, raw: Mapping[str, object]) -> dict[str, Value]:
        """The aggregate key in the domain's words: raw key values read as the key columns' types."""
        read: dict[str, Value] = {}
        for name, reader in self._key_readers.items():
            value = raw.get(name, MISSING)
            read[name] = MISSING if value is MISSING or reader is None else reader(value)
        return read

    def candidates(self, rows: list[NetRow]) -> tuple[Rule, ...]:
        """Rules that can fire on these rows, in file order, judged by tables, operations and changed columns."""
        if len(rows) == 1:
            row = rows[0]
            shape: object = (row.plan.table.physical, row.op, row.untaken, row.changed)
        else:
            shape = frozenset((row.plan.table.physical, row.op) for row in rows)
        found = self._for_shape.get(shape)
        if found is None:
            if len(self._for_shape) >= _KEPT:
                self._for_shape.clear()
            found = self._for_shape[shape] = tuple(rule for rule in self.mapping.rules if self._possible(rule, rows))
        return found

    def _possible(self, rule: Rule, rows: list[NetRow]) -> bool:
        needed = [pattern for pattern in rule.companions if pattern.count in _NEEDED]
        if rule.anchor is not None:
            needed.append(rule.anchor)
        elif not any(self._present(pattern, rows) for pattern in rule.companions):
            return False
        return all(self._present(pattern, rows) for pattern in needed)

    def _present(self, pattern: Pattern, rows: list[NetRow]) -> bool:
        table = self.physical(pattern)
        present = [row for row in rows if row.plan.table.physical == table and row.op in pattern.ops]
        return any(self._sees(pattern, row) for row in present) if len(rows) == 1 else bool(present)

    @staticmethod
    def _sees(pattern: Pattern, row: NetRow) -> bool:
        if row.op is not RowOp.UPDATE:
            return True
        seen = row.changed if pattern.witness else row.untaken
        if pattern.changed is not None and pattern.changed.isdisjoint(seen):
            return False
        return all(test.column in seen for test in pattern.where if test.transition)
