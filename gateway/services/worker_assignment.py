"""Steps 1 to 5 between owning a partition and reading it (protocol.md 4): in turns, never waiting for long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gateway.model.errors import ConfigError, DataLoss, DependencyError
from gateway.pipeline.assemble import Tail
from gateway.pipeline.evidence import Evidence
from gateway.pipeline.progress import Progress, parse_progress
from gateway.ports import Committed, Partition, TopicShape
from gateway.services.worker_control import Control
from gateway.services.worker_partition import OwnedPartition, Phase
from gateway.services.worker_plan import Outside, RawTopic, WorkerPlan
from gateway.services.worker_state import PartitionMemory, read_memory, state_partition
from gateway.telemetry.signals import DependencyAway, DependencyBack, PartitionRunning

__all__ = ["Assignment"]

_ASK_AGAIN = 0.25
_SAY_SO_AFTER = 2.0
_ANSWER_HOLDS = 5.0


class Assignment:
    """Brings owned partitions to where their records can be read. Its state can be thrown away at any time."""

    def __init__(self, plan: WorkerPlan, outside: Outside, evidence: Evidence, control: Control) -> None:
        self._plan = plan
        self._outside = outside
        self._evidence = evidence
        self._control = control
        self._shapes: dict[str, tuple[float, TopicShape]] = {}
        self._begun: dict[str, tuple[float, Progress | None]] = {}
        self._look_at = outside.clock.monotonic() + plan.topic_check
        self._holds = min(_ANSWER_HOLDS, plan.topic_check)
        self._waiting_since: dict[Partition, float] = {}
        self._said: set[Partition] = set()

    def turn(self, partitions: Iterable[OwnedPartition]) -> list[tuple[OwnedPartition, ConfigError]]:
        """Do what can be done now. Partitions that cannot be served, with why. DependencyError: try again later."""
        refused: list[tuple[OwnedPartition, ConfigError]] = []
        partitions = [owned for owned in partitions if owned.phase in (Phase.ASKING, Phase.READING_STATE)]
        asked: dict[int, list[OwnedPartition]] = {}
        for owned in partitions:
            if owned.phase is Phase.ASKING and self._ask(owned):
                asked.setdefault(state_partition(owned.place), []).append(owned)
        self._read_state(asked)
        for number, entries in self._outside.state.poll().items():
            for owned in partitions:
                if owned.phase is Phase.READING_STATE and state_partition(owned.place) == number:
                    try:
                        self._begin(owned, read_memory(entries, owned.place))
                    except ConfigError as error:
                        refused.append((owned, error))
                    except DependencyError as error:
                        self._again(owned, error)
        return refused

    def changed(self, partitions: Iterable[OwnedPartition]) -> list[tuple[OwnedPartition, ConfigError]]:
        """Now and then: running partitions whose topic is not what it was (protocol.md 10). DependencyError: later."""
        now = self._outside.clock.monotonic()
        if now < self._look_at:
            return []
        self._look_at = now + self._holds
        refused: list[tuple[OwnedPartition, ConfigError]] = []
        for owned in partitions:
            if owned.running and owned.progress is not None:
                try:
                    self._look(owned, owned.progress)
                    owned.sound_at = owned.next_offset
                except ConfigError as error:
                    refused.append((owned, error))
        self._look_at = now + self._plan.topic_check
        return refused

    def _look(self, owned: OwnedPartition, progress: Progress) -> None:
        """ConfigError: the topic is another one, or gone; what was settled since the last look is named."""
        since = _settled_since(owned)
        try:
            shape = self._shape(owned.place.topic)
        except ConfigError as error:
            hint = "capture into a new raw topic; made anew under this name, it would be another one"
            raise ConfigError(f"the topic was deleted; {since}", where=str(owned.place), hint=hint) from error
        _check_shape(owned.place, progress, shape, since)

    def gone(self, owned: OwnedPartition) -> ConfigError:
        """Why the record that comes next is not in the log any more: another topic has its name, or retention."""
        assert owned.progress is not None
        self._shapes.pop(owned.place.topic, None)
        low = 0
        try:
            self._look(owned, owned.progress)
            low = self._outside.cluster.low_watermark(owned.place)
        except ConfigError as error:
            return error
        except DependencyError:
            pass  # the range is not known then
        return _data_loss(owned.place, owned.expected, low)

    def _ask(self, owned: OwnedPartition) -> bool:
        """Step 1: waits, in turns, while a predecessor's transaction over the partition is undecided."""
        if self._outside.clock.monotonic() < owned.ask_at:
            return False
        try:
            owned.committed = self._outside.source.committed(owned.place)
        except DependencyError as error:
            self._again(owned, error)
            return False
        return True

    def _again(self, owned: OwnedPartition, error: DependencyError) -> None:
        """A step had no answer: all of them again a little later. Said once if that goes on for a while."""
        now = self._outside.clock.monotonic()
        owned.reset(now + _ASK_AGAIN)
        since = self._waiting_since.setdefault(owned.place, now)
        if now - since > _SAY_SO_AFTER and owned.place not in self._said:
            self._said.add(owned.place)
            self._outside.telemetry.emit(DependencyAway(f"committed offset of {owned.place}", str(error)))

    def _arrived(self, owned: OwnedPartition) -> None:
        now = self._outside.clock.monotonic()
        since = self._waiting_since.pop(owned.place, now)
        if owned.place in self._said:
            self._said.discard(owned.place)
            self._outside.telemetry.emit(DependencyBack(f"committed offset of {owned.place}", now - since))

    def _read_state(self, asked: Mapping[int, Iterable[OwnedPartition]]) -> None:
        """Step 3: the watermark is asked after the committed offset is known (R2)."""
        for number, group in asked.items():
            until = self._outside.cluster.high_watermark(Partition(self._plan.state_topic, number))
            self._outside.state.start(number, until)
            for owned in group:
                owned.phase = Phase.READING_STATE

    def _begin(self, owned: OwnedPartition, memory: PartitionMemory) -> None:
        """Steps 2 and 5."""
        raw = owned.raw = self._rules(owned)
        shape = self._shape(owned.place.topic)
        low = self._outside.cluster.low_watermark(owned.place)
        if owned.committed is None:
            owned.next_offset, owned.progress = self._from_the_beginning(owned, memory, shape, raw.digest, low)
            owned.moved = True  # so that the next start finds an offset, records or not
        else:
            owned.next_offset, owned.progress = _resumed(owned.place, owned.committed, shape, low, raw.digest)
            owned.moved = False
        owned.expected = owned.position = owned.next_offset
        owned.parked = dict(memory.parked)
        owned.letters_from = self._outside.cluster.high_watermark(Partition(raw.letters, owned.place.partition))
        progress = owned.progress
        owned.decoder = raw.decoder.of_partition(progress.key_form or self._form_elsewhere(owned.place, shape))
        owned.key_form, owned.sound_at = progress.key_form, owned.next_offset
        owned.resume = progress.cursor
        until = None if progress.cursor is None else progress.cursor[1]
        owned.tail = Tail(*owned.place, raw.rules, self._evidence, hi=progress.hi, ts=progress.ts, until=until)
        self._outside.source.start(owned.place, owned.next_offset)
        owned.phase = Phase.RUNNING
        self._arrived(owned)
        self._outside.telemetry.emit(PartitionRunning(*owned.place, owned.next_offset, len(owned.parked)))

    def _rules(self, owned: OwnedPartition) -> RawTopic:
        """Step 4: commands that its progress goes back to are known. DependencyError: not yet."""
        progress = None if owned.committed is None else parse_progress(owned.committed.metadata)
        if not self._control.log.reached(0 if progress is None else progress.control):
            raise DependencyError("the control log is not read yet", where=str(owned.place))
        return self._control.rules.at_start(owned.place.topic, progress)

    def _shape(self, topic: str) -> TopicShape:
        now = self._outside.clock.monotonic()
        known = self._shapes.get(topic)
        if known is None or now - known[0] >= self._holds:
            known = self._shapes[topic] = (now, self._outside.cluster.shape(topic))
        return known[1]

    def _from_the_beginning(
        self, owned: OwnedPartition, memory: PartitionMemory, shape: TopicShape, digest: str, low: int
    ) -> tuple[int, Progress]:
        if memory.progress is not None:
            _check_shape(owned.place, parse_progress(memory.progress.metadata), shape)  # offsets go with their topic
            raise ConfigError(
                f"the group has no committed offset, but the state topic says {memory.progress.offset} was reached",
                where=str(owned.place),
                hint="the group's offsets expired or were deleted: `gateway recover` writes them back, exactly",
            )
        if not self._plan.from_beginning:
            raise ConfigError(
                "the group has no committed offset",
                where=str(owned.place),
                hint="start the first time with `gateway run --from-beginning`",
            )
        begun = self._begun_elsewhere(owned.place, shape)
        if begun is not None:
            _check_shape(owned.place, begun, shape)
        return low, Progress.fresh(partitions=shape.partitions, topic_id=shape.topic_id, digest=digest)

    def _begun_elsewhere(self, place: Partition, shape: TopicShape) -> Progress | None:
        """Progress of any other partition of the topic: it tells what the topic was when the group began with it."""
        now = self._outside.clock.monotonic()
        known = self._begun.get(place.topic)
        if known is None or now - known[0] >= self._holds:
            others = (Partition(place.topic, number) for number in range(shape.partitions))
            found = (self._outside.source.committed(one) for one in others if one != place)
            begun = [parse_progress(at.metadata) for at in found if at is not None]
            begun.sort(key=lambda one: not one.key_form)
            known = self._begun[place.topic] = (now, begun[0] if begun else None)
        return known[1]

    def _form_elsewhere(self, place: Partition, shape: TopicShape) -> str:
        """Form of the keys in any other partition of the topic, for one that has settled none yet."""
        begun = self._begun_elsewhere(place, shape)
        return "" if begun is None else begun.key_form


def _resumed(place: Partition, at: Committed, shape: TopicShape, low: int, digest: str) -> tuple[int, Progress]:
    progress = parse_progress(at.metadata)
    _check_shape(place, progress, shape)
    if at.offset < low:
        raise _data_loss(place, at.offset, low)
    if progress.cursor is not None and progress.digest != digest:
        raise ConfigError(
            f"a large transaction from record {at.offset} on was published in part by rules {progress.digest}",
            where=str(place),
            hint=f"its rest must be told by the same ones, these are {digest}: start that version until it is through",
        )
    return at.offset, replace(progress, digest=digest)


def _data_loss(place: Partition, expected: int, low: int) -> DataLoss:
    records = f"records {expected} to {low - 1} were" if low > expected else f"record {expected} was"
    return DataLoss(
        f"data loss: {records} deleted before they were read",
        where=str(place),
        hint="retention overtook the worker; nobody skips: see `gateway recover --help` about --accept-loss",
    )


def _settled_since(owned: OwnedPartition) -> str:
    """What of a partition may be out of order where its topic is found changed."""
    if owned.next_offset <= owned.sound_at:
        return "nothing was settled since it was last looked at"
    settled = f"records {owned.sound_at} to {owned.next_offset - 1}"
    return f"{settled} were settled since it was last looked at, some perhaps out of order"


def _check_shape(place: Partition, progress: Progress, shape: TopicShape, since: str = "") -> None:
    if (progress.topic_id, progress.partitions) != shape:
        raise ConfigError(
            f"the topic was {progress.topic_id} with {progress.partitions} partitions, now it is {shape.topic_id} "
            f"with {shape.partitions}{since and '; '}{since}",
            where=str(place),
            hint="a recreated topic or a changed partition count breaks order: capture into a new raw topic",
        )
