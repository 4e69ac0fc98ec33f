"""Two versions of the rules in the memory world, and what each event's lineage says about the rules it had."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.adapters.memory import MemoryCluster, MemoryLog
from gateway.adapters.memory_registry import MemoryRegistry
from gateway.adapters.memory_source import MemorySource
from gateway.bridge.history import History
from gateway.mapping.compatibility import subject_name
from gateway.mapping.loader import load
from gateway.services.control_history import read_history
from gateway.services.rollout import Rollout
from gateway.services.rule_versions import RuleVersion, version_of_folder
from gateway.services.worker import Worker
from gateway.settings import Settings
from gateway.wiring import stored_topics

from .control_world import PLACES, desk
from .memory_world import COMPILED, MAPPINGS, PREFIX, MemoryInstallation


def full(name: str) -> str:
    return PREFIX + name


def changed(folder: Path, number: int) -> Path:
    """A copy of the rules that differs in a reason: the same events, another digest."""
    shutil.copytree(MAPPINGS, folder)
    file = folder / "thing" / "thing.yaml"
    file.write_text(file.read_text().replace("nobody outside reads them", f"nobody reads them, version {number}"))
    return folder


def with_another_topic(folder: Path) -> Path:
    """A copy of the rules with a second mapping, over a raw topic of its own."""
    shutil.copytree(MAPPINGS, folder)
    shutil.copytree(folder / "thing", folder / "gadget")
    file = folder / "gadget" / "thing.yaml"
    text = file.read_text().replace("mapping: thing", "mapping: gadget").replace("thing.raw", "gadget.raw")
    file.write_text(text.replace("shop.thing:", "shop.gadget:").replace("shop.part:", "shop.bolt:"))
    return folder


class RolloutWorld(MemoryInstallation):
    """Old rules in the workers' folder, new ones beside it."""

    def __init__(self, seed: int, place: Path, odds: float = 0.0, **more: int) -> None:
        super().__init__(seed, odds, **more)
        self.old = version_of_folder(MAPPINGS, COMPILED, full)
        self.other = changed(place / "new", 2)
        self.new = version_of_folder(self.other, load(self.other), full)
        self.registry = MemoryRegistry()
        for mapping in COMPILED:
            for event in mapping.contracts:
                self.registry.register(subject_name(full(event.topic), event.full_name), event.schema)
        self.folder = self.old
        settings = Settings(prefix=PREFIX, mappings=MAPPINGS)
        self.rules = lambda stored: stored_topics(settings, stored, self.registry, MemoryCluster(self.broker))

    def rollout(self, workers: Sequence[Worker], meanwhile: Callable[[float], None] = lambda _: None) -> Rollout:
        """Rollouts while whose command waits ``workers`` go on."""
        counter = desk(self, workers, meanwhile)
        asker = MemorySource(self.group)
        return Rollout(counter, self.history, asker.committed, PLACES, counter.pass_time)

    def history(self) -> History:
        """The control log as it is."""
        return read_history(MemoryLog(self.broker), MemoryCluster(self.broker), f"{PREFIX}gateway.control")

    def digest(self, version: RuleVersion) -> str:
        """What the lineage of events says under a version."""
        return version.digests[PLACES[0].topic][:8]

    def judge(self, first: RuleVersion, *cuts: tuple[tuple[int, int], RuleVersion]) -> int:
        """Every event has the rules that its position asks for, no transaction two; how many there are."""
        seen: dict[str, set[str]] = defaultdict(set)
        count = 0
        for parts in self.lineages():
            inc, commit, _ = map(int, parts["pos"].split("."))
            wanted = next((rules for cut, rules in reversed(cuts) if (inc, commit) >= cut), first)
            assert parts["mapping"] == self.digest(wanted), parts
            seen[parts["tx"]].add(parts["mapping"])
            count += 1
        assert all(len(digests) == 1 for digests in seen.values())
        return count

    def lineages(self) -> list[dict[str, str]]:
        """The lineage of each event, as its parts."""
        places = [one for one in self.broker.logs if one.topic == f"{PREFIX}thing.events"]
        records = [record for one in places for record in self.broker.readable(one, 0, 1_000_000)[0]]
        texts = [(dict(record.headers)["lineage"] or b"").decode() for record in records]
        return [dict(part.split("=", 1) for part in text.split(",")) for text in texts]


__all__ = ["RolloutWorld", "changed", "full", "with_another_topic"]
