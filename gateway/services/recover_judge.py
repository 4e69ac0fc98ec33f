"""What a partition's copy in the state topic allows: judged from what was seen, without asking anything."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.model.errors import ConfigError
from gateway.pipeline.progress import Progress, format_progress, parse_progress
from gateway.ports import Committed, Partition, TopicShape

__all__ = ["Action", "Judgement", "Seen", "judge"]


class Action(StrEnum):
    """What `gateway recover` does with a partition."""

    IN_PLACE = "in place"
    WRITE = "write"
    CANNOT = "cannot"
    LEFT = "left alone"


@dataclass(frozen=True, slots=True)
class Seen:
    """A partition as it was found. ``copy``: what the state topic remembers; ``group``: what the group has.

    ``shape`` is None where there is no such topic, ``low``/``high`` are its watermarks. ``read``: a mapping reads it.
    """

    place: Partition
    copy: Committed | None
    group: Committed | None
    shape: TopicShape | None
    low: int = 0
    high: int = 0
    parked: int = 0
    read: bool = True


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be done with a partition and why. ``target``: what to write; ``lost``: offsets that it skips."""

    seen: Seen
    action: Action
    reason: str
    remedy: str = ""
    progress: Progress | None = None
    target: Committed | None = None
    lost: tuple[int, int] | None = None


def judge(seen: Seen, *, accept_loss: bool = False) -> Judgement:
    """Whether the copy is the group's, can be written back, or why not.

    ``accept_loss``: where retention deleted what comes next, go on at what is left.
    """
    if not seen.read:
        return Judgement(seen, Action.LEFT, "no mapping reads this topic")
    if seen.copy is None:
        return _without_copy(seen)
    try:
        progress = parse_progress(seen.copy.metadata)
    except ConfigError as error:
        return Judgement(seen, Action.CANNOT, f"the copy cannot be read: {error.what}", error.hint)
    found = _against_the_topic(seen, seen.copy, progress)
    if found is not None:
        return found
    if seen.copy.offset < seen.low:
        return _overtaken(seen, seen.copy, progress, accept_loss)
    return _against_the_group(seen, seen.copy, progress)


def _without_copy(seen: Seen) -> Judgement:
    if seen.group is None:
        return Judgement(seen, Action.LEFT, "nobody has read it yet", "`gateway run --from-beginning` begins with it")
    return Judgement(
        seen,
        Action.CANNOT,
        f"the group has offset {seen.group.offset}, the state topic knows nothing of it",
        "the state topic lost records, parked aggregates perhaps among them: restore it, or reconcile",
    )


def _against_the_topic(seen: Seen, copy: Committed, progress: Progress) -> Judgement | None:
    if seen.shape is None:
        remedy = "capture into a new raw topic: `gateway connect apply` creates it"
        return Judgement(seen, Action.CANNOT, "the topic does not exist any more", remedy, progress)
    if (progress.topic_id, progress.partitions) != seen.shape:
        reason = (
            f"the topic was {progress.topic_id} with {progress.partitions} partitions, now it is "
            f"{seen.shape.topic_id} with {seen.shape.partitions}"
        )
        remedy = "offsets of another topic mean nothing here: capture into a new raw topic"
        return Judgement(seen, Action.CANNOT, reason, remedy, progress)
    if copy.offset > seen.high:
        reason = f"offset {copy.offset} lies behind the topic's end {seen.high}: the log lost records that were read"
        remedy = "what comes next would take offsets that were settled before: capture into a new raw topic"
        return Judgement(seen, Action.CANNOT, reason, remedy, progress)
    return None


def _overtaken(seen: Seen, copy: Committed, progress: Progress, accept_loss: bool) -> Judgement:
    """Retention overtook the copy. A huge unit that is published in part is lost as a whole: its rest has no head."""
    at = max(seen.low, progress.cursor[1] + 1 if progress.cursor else 0)
    reason = f"data loss: records {copy.offset} to {at - 1} were deleted before they were read"
    if not accept_loss:
        remedy = f"restore them, or reconcile what they said; --accept-loss goes on at {at}"
        return Judgement(seen, Action.CANNOT, reason, remedy, progress)
    target = Committed(at, format_progress(replace(progress, cursor=None)))
    remedy = "reconcile what they said: no event ever will"
    return Judgement(seen, Action.WRITE, reason, remedy, progress, target, (copy.offset, at - 1))


def _against_the_group(seen: Seen, copy: Committed, progress: Progress) -> Judgement:
    group = seen.group
    if group == copy:
        return Judgement(seen, Action.IN_PLACE, "the group has it", "", progress)
    if group is None:
        return Judgement(seen, Action.WRITE, "the group has no offset", "", progress, copy)
    try:
        parse_progress(group.metadata)
    except ConfigError:
        reason = f"the group's offset {group.offset} carries no progress: something else wrote it"
        return Judgement(seen, Action.WRITE, reason, "", progress, copy)
    if group.offset > copy.offset:
        reason = f"the group's offset {group.offset} is ahead of the copy: the state topic lost its last records"
        remedy = "the group's is the newer one and stays; parked aggregates may be missing: restore the topic"
        return Judgement(seen, Action.CANNOT, reason, remedy, progress)
    reason = f"the group's offset {group.offset} is not what was committed last"
    return Judgement(seen, Action.WRITE, reason, "", progress, copy)
