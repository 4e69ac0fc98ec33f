"""Which rules a partition has: those of the worker's folder until a rollout was committed, then those of the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.bridge.history import History
from gateway.bridge.standing_orders import barriers_of
from gateway.model.errors import ConfigError
from gateway.pipeline.progress import Progress
from gateway.services.worker_plan import Outside, RawTopic, WorkerPlan
from gateway.telemetry.signals import FindingSeen

__all__ = ["Rules"]

_REFUSAL_HOLDS = 2.0
"""Seconds: all partitions of a worker ask at once, and a contract may be registered before the next rollout."""


class Rules:
    """Versions of the rules, each compiled at its first use and kept."""

    def __init__(self, plan: WorkerPlan, outside: Outside, history: History) -> None:
        self._plan = plan
        self._outside = outside
        self._history = history
        self._loaded: dict[str, Mapping[str, RawTopic]] = {}
        self._refused: dict[str, tuple[float, ConfigError]] = {}
        self._said = False

    def at_start(self, topic: str, progress: Progress | None) -> RawTopic:
        """Rules of a partition of ``topic`` that begins, or goes on from ``progress``.

        ConfigError: they are not to be had any more; DependencyError: not yet.
        """
        folder = self._plan.topics[topic]
        committed = self._history.committed()
        if self._plan.rules_of_folder or not (committed or (progress is not None and barriers_of(progress.barriers))):
            return folder
        if progress is None:  # nobody has read it yet: its first records are older than the first rollout's cut
            first = self._history.stored(committed[0].before)
            return self.of(first.version, topic) if first is not None and topic in first.digests else folder
        if progress.digest == folder.digest:
            return folder
        stored = self._history.stored_with(topic, progress.digest)
        if stored is None:
            raise ConfigError(
                f"its rules have the digest {progress.digest}, which is neither the folder's nor stored in the log",
                where=topic,
                hint="run with the folder that has them, or with GATEWAY_RULES=folder, which takes whatever is there",
            )
        self._say()
        return self.of(stored.version, topic)

    def _say(self) -> None:
        if not self._said:
            self._said = True
            told = "the worker's folder is not what was rolled out: `gateway rollout start` brings it into force"
            self._outside.telemetry.emit(FindingSeen(told, 1))

    def of(self, version: str, topic: str) -> RawTopic:
        """Rules of ``topic`` under a stored version. ConfigError: it cannot be used here; DependencyError: not yet."""
        now = self._outside.clock.monotonic()
        refused = self._refused.get(version)
        if refused is not None and now < refused[0]:
            raise refused[1]
        if version not in self._loaded:
            try:
                self._loaded[version] = self._load(version)
            except ConfigError as error:
                self._refused[version] = (now + _REFUSAL_HOLDS, error)
                raise
        found = self._loaded[version].get(topic)
        if found is None:
            raise ConfigError(f"the version {version} has no rules for {topic}", hint="roll out one that has")
        return found

    def _load(self, version: str) -> Mapping[str, RawTopic]:
        stored = self._history.stored(version)
        if stored is None or self._outside.rules is None:
            raise ConfigError(f"the version {version} of the rules is not in the control log")
        topics = self._outside.rules(stored)
        mine = self._plan.topics
        topics = {name: raw for name, raw in topics.items() if name in mine}
        for name, raw in topics.items():
            _check(version, raw, mine[name], self._plan)
        # how records are taken in is the worker's own, whatever the rules: one budget of memory for all of it
        return {name: replace(raw, rules=mine[name].rules, decoder=mine[name].decoder) for name, raw in topics.items()}


def _check(version: str, raw: RawTopic, mine: RawTopic, plan: WorkerPlan) -> None:
    """ConfigError: a running worker cannot change to it."""
    if raw.book.mapping.key != mine.book.mapping.key:
        what = f"the version {version} has another aggregate key for {raw.topic}"
        raise ConfigError(what, hint="another key is another order: capture into a new raw topic")
    for lookup in raw.lookups.values():
        if not lookup.columns <= plan.reference.get(lookup.topic, frozenset()):
            hint = "start the workers with a folder whose mappings have this lookup, then roll out"
            raise ConfigError(
                f"the version {version} looks up {lookup.topic}, which the workers do not read", hint=hint
            )
