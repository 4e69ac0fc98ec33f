"""All that translating one raw topic needs, built once: its mapping planned, its events' encoders, its policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.mapping.compiled import CompiledMapping
from gateway.model.errors import RecordError
from gateway.model.lookup import ReferenceTables
from gateway.pipeline.admit import Incarnations
from gateway.pipeline.encode import Encoders, WireSettings, encoders
from gateway.pipeline.limits import Limits
from gateway.pipeline.plan import MappingPlan

__all__ = ["Rulebook"]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One mapping ready to translate."""

    plan: MappingPlan
    encoders: Encoders
    incarnations: Incarnations = ()
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def of(
        cls,
        mapping: CompiledMapping,
        schema_ids: Mapping[str, int],
        wire: WireSettings | None = None,
        lookups: ReferenceTables | None = None,
        limits: Limits | None = None,
    ) -> Rulebook:
        """Plan ``mapping``. ``schema_ids`` by Avro full name; KeyError for a contract without one.

        ``lookups``: its reference data, where the caller of ``translate`` gives none.
        """
        wire = wire or WireSettings()
        planned = MappingPlan(mapping, lookups)
        return cls(planned, encoders(mapping, schema_ids, wire), wire.incarnations, limits or Limits())

    @property
    def mapping(self) -> CompiledMapping:
        """The mapping as it was compiled."""
        return self.plan.mapping

    @property
    def may_halt(self) -> bool:
        """Whether some failure stops the partition."""
        return "halt" in (self.mapping.on_error, *(rule.on_error for rule in self.mapping.rules))

    def on_error(self, error: RecordError) -> str:
        """``park``, ``deadletter`` or ``halt``: the failed rule's policy, else the mapping's."""
        for rule in self.mapping.rules:
            if rule.name == error.rule and rule.on_error is not None:
                return rule.on_error
        return self.mapping.on_error
