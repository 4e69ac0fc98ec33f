"""Other rules from one cut on, and back: what `gateway rollout` does (protocol.md 8)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.bridge.commands import ALL, Ack, Command, Kind, Result
from gateway.bridge.history import History
from gateway.model.errors import ConfigError, DependencyError
from gateway.pipeline.progress import Progress, parse_progress
from gateway.ports import Committed, Partition
from gateway.services.control import ControlDesk, new_id
from gateway.services.rule_versions import RuleVersion

__all__ = ["Outcome", "Rollout", "Standing"]

_LOOK_AGAIN = 0.25
_PATIENCE = 20.0
_RATE_OVER = 1.0
_LEADS = (2.0, 4.0, 8.0, 16.0, 32.0)
"""Seconds of the source's log between what is settled and the cut, one try after the other."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a rollout ended. ``answers``: of the partitions to the last step; ``silent``: those that gave none."""

    barrier: str
    version: str
    before: str
    cut: tuple[int, int]
    decision: Kind | None
    tries: int
    answers: Mapping[Partition, Ack] = field(default_factory=dict)
    silent: tuple[Partition, ...] = ()

    @property
    def late(self) -> bool:
        """Whether a partition had settled something behind the cut already."""
        return any(ack.result == Result.LATE for ack in self.answers.values())


@dataclass(frozen=True, slots=True)
class Standing:
    """Where everything is: the log, and each partition's committed progress (None: nobody has read it yet)."""

    history: History
    partitions: Mapping[Partition, tuple[int, Progress] | None]

    @property
    def in_force(self) -> str | None:
        """The version that new transactions get: of the last rollout, else the one that the workers run with."""
        committed = self.history.committed()
        if committed:
            return committed[-1].version
        digests: dict[str, str] = {}
        for place, found in self.partitions.items():
            if found is not None and digests.setdefault(place.topic, found[1].digest) != found[1].digest:
                return None
        version = next((one for one in self.history.versions() if _agrees(one.digests, digests)), None)
        return version.version if version and digests else None


def _agrees(stored: Mapping[str, str], seen: Mapping[str, str]) -> bool:
    return all(stored.get(topic) == digest for topic, digest in seen.items())


class Rollout:
    """Begins barriers and decides them. ``committed``: asks a partition's committed offset, as ``EventSource`` does."""

    def __init__(
        self,
        desk: ControlDesk,
        history: Callable[[], History],
        committed: Callable[[Partition], Committed | None],
        places: Sequence[Partition],
        wait: Callable[[float], None],
    ) -> None:
        self._desk = desk
        self._history = history
        self._committed = committed
        self._places = tuple(places)
        self._wait = wait

    def standing(self) -> Standing:
        """Look. DependencyError: a partition's progress cannot be read."""
        partitions = {place: self._progress(place) for place in self._places}
        return Standing(self._history(), partitions)

    def _progress(self, place: Partition) -> tuple[int, Progress] | None:
        """It is undecided while a worker commits: asked again."""
        tries = math.ceil(_PATIENCE / _LOOK_AGAIN)
        for left in range(tries, 0, -1):
            try:
                at = self._committed(place)
            except DependencyError:
                if left == 1:
                    raise
                self._wait(_LOOK_AGAIN)
            else:
                return None if at is None else (at.offset, parse_progress(at.metadata))
        return None

    def start(
        self, version: RuleVersion, who: str, why: str, timeout: float, at: tuple[int, int] | None = None
    ) -> Outcome:
        """Bring ``version`` into force. ``at``: the cut (incarnation and X) instead of one soon after what is settled.

        ConfigError: it is in force already, or nobody knows what is. The old rules stay in force unless committed.
        """
        standing = self.standing()
        before = self._before(standing)
        if version.name == before:
            raise ConfigError(f"the version {version.name} is in force already", hint="change the mappings first")
        stored = Command(
            new_id(), Kind.RULES, who, why, at_ms=_now(), version=version.name, digests=dict(version.digests),
            files=version.files,
        )  # fmt: skip
        first = () if standing.history.stored(version.name) else (stored,)
        return self._decide(version.name, before, first, who, why, timeout, at)

    def rollback(self, who: str, why: str, timeout: float, at: tuple[int, int] | None = None) -> Outcome:
        """Bring back what the last rollout replaced, from a new cut on. ConfigError: there was none."""
        committed = self.standing().history.committed()
        if not committed:
            raise ConfigError("nothing was rolled out yet", hint="`gateway rollout status` shows what is in force")
        last = committed[-1]
        return self._decide(last.before, last.version, (), who, why, timeout, at)

    def _before(self, standing: Standing) -> str:
        undecided = [one for one in standing.history.prepared() if standing.history.decision(one.id) is None]
        if undecided:
            raise ConfigError(
                f"the rollout {undecided[-1].id} of {undecided[-1].who} is undecided",
                hint="a worker cancels it a minute after who began it is gone",
            )
        found = standing.in_force
        if found is None:
            raise ConfigError(
                "it is not known which rules are in force, so there would be no way back",
                hint="run the workers, all with one folder, until they have settled something",
            )
        return found

    def _decide(
        self, version: str, before: str, first: tuple[Command, ...], who: str, why: str, timeout: float,
        at: tuple[int, int] | None,
    ) -> Outcome:  # fmt: skip
        """Prepare; commit if all partitions are armed, else cancel, and again with a later cut where it was late."""
        for number, lead in enumerate(_LEADS[: 1 if at else None], 1):
            cut = at or self._cut(lead)
            prepare = Command(new_id(), Kind.PREPARE, who, why, (ALL,), _now(), cut=cut, version=version, before=before)
            outcome = self._try(prepare, first, timeout, number)
            first = ()
            if outcome.decision is Kind.COMMIT or not outcome.late:
                return outcome
        return outcome

    def _cut(self, lead: float) -> tuple[int, int]:
        """A cut so many seconds ahead of what is settled, at the rate of the moment."""
        first = self._reached()
        self._wait(_RATE_OVER)
        second = self._reached()
        if second is None:
            return (0, 0)  # nothing has a place yet: everything is behind the cut
        moved = second[1] - first[1] if first is not None and first[0] == second[0] else 0
        return (second[0], second[1] + 1 + math.ceil(max(0, moved) / _RATE_OVER * lead))

    def _reached(self) -> tuple[int, int] | None:
        found = [one[1].hi[:2] for one in self.standing().partitions.values() if one is not None and one[1].hi]
        return max(found, default=None)

    def _try(self, prepare: Command, first: tuple[Command, ...], timeout: float, tries: int) -> Outcome:
        decided = False
        try:
            self._desk.give(*first, prepare)
            answers = self._desk.answers(prepare.id, self._places, timeout)
            armed = len(answers) == len(self._places) and all(one.result == Result.ARMED for one in answers.values())
            decision = self._command(prepare, Kind.COMMIT if armed else Kind.CANCEL)
            self._desk.give(decision)
            decided = True
        finally:
            if not decided:  # interrupted: nobody waits a minute for a worker to do it
                self._desk.give(self._command(prepare, Kind.CANCEL))
        if armed:
            answers = self._desk.answers(decision.id, self._places, timeout)
        silent = tuple(place for place in self._places if place not in answers)
        self._desk.tidy(prepare.id, self._places)
        self._desk.tidy(decision.id, answers)
        found = self._history().decision(prepare.id)
        assert prepare.cut is not None
        return Outcome(prepare.id, prepare.version, prepare.before, prepare.cut, found, tries, answers, silent)

    def _command(self, prepare: Command, kind: Kind) -> Command:
        return Command(new_id(), kind, prepare.who, prepare.why, (ALL,), _now(), barrier=prepare.id)


def _now() -> int:
    return int(time.time() * 1000)
