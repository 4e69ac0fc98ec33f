"""All that translating one raw topic needs, built once: its mapping planned, its events' encoders, its policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.mapping.compiled import CompiledMapping
from gateway.model.errors import RecordError
from gateway.pipeline.admit import Incarnations
from gateway.pipeline.encode import Encoders, WireSettings, encoders
from gateway.pipeline.plan import MappingPlan

__all__ = ["Rulebook"]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One mapping ready to translate."""

    plan: MappingPlan
    encoders: Encoders
    incarnations: Incarnations = ()
    derives: bool = False
    """Whether any event has older versions beside it."""

    @classmethod
    def of(cls, mapping: CompiledMapping, schema_ids: Mapping[str, int], wire: WireSettings | None = None) -> Rulebook:
        """Plan ``mapping``. ``schema_ids`` by Avro full name; KeyError for a contract without one."""
        wire = wire or WireSettings()
        derives = any(kind.also for kind in mapping.events.values())
        return cls(MappingPlan(mapping), encoders(mapping, schema_ids, wire), wire.incarnations, derives)

    @property
    def mapping(self) -> CompiledMapping:
        """The mapping as it was compiled."""
        return self.plan.mapping

    def on_error(self, error: RecordError) -> str:
        """``park``, ``deadletter`` or ``halt``: the failed rule's policy, else the mapping's."""
        for rule in self.mapping.rules:
            if rule.name == error.rule and rule.on_error is not None:
                return rule.on_error
        return self.mapping.on_error
