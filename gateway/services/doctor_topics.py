"""Topics: would every record still be there when it is needed, in the partition where it belongs? Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.model.capture import TopicFacts, TopicSpec
from gateway.services.doctor_report import Area, AreaReport, Finding, Severity

__all__ = ["ASKED", "TopicSide", "examine_topics"]

ASKED = ("min.insync.replicas", "retention.bytes", "unclean.leader.election.enable")
"""Settings that the preflight asks for beside those that `gateway connect apply` sets."""
_APPLY = "gateway connect apply"


@dataclass(frozen=True, slots=True)
class TopicSide:
    """What is wanted and what the broker has. ``brokers``: how many there are; ``raw``: names of the raw topics.

    ``reference``: topics of reference data, which others own, with the mappings' lookups that need them.
    """

    wanted: Sequence[TopicSpec]
    now: Mapping[str, TopicFacts]
    brokers: int
    raw: frozenset[str]
    reference: Mapping[str, str] = field(default_factory=dict)


def examine_topics(side: TopicSide) -> AreaReport:
    """Every finding about the topics of the installation."""
    findings = [finding for spec in side.wanted for finding in _topic(spec, side)]
    findings += [finding for name in side.reference for finding in _lookup(name, side)]
    findings += _replication(side)
    return AreaReport(Area.TOPICS, tuple(findings), tuple(_fine(side, {one.object for one in findings})))


def _topic(spec: TopicSpec, side: TopicSide) -> Iterator[Finding]:
    found, where = side.now.get(spec.name), f"topic {spec.name}"
    if found is None:
        yield Finding(Severity.ERROR, where, "it does not exist, and workers create none", _APPLY)
        return
    if found.partitions != spec.partitions:
        yield _partitions(where, spec, found, side)
    yield from _settings(where, spec, found)
    yield from _never(where, spec, found, side)


def _lookup(name: str, side: TopicSide) -> Iterator[Finding]:
    """A topic of reference data: all of it is read at each start, so it must keep the last value of every key."""
    found, needed = side.now.get(name), side.reference[name]
    if found is None:
        reason = f"it does not exist, and {needed} needs it: workers wait for it and translate nothing"
        remedy = f"create it (cleanup.policy=compact), or mend `topic:` of the lookup: {needed}"
        yield Finding(Severity.ERROR, f"topic {name}", reason, remedy)
    elif "compact" not in found.config.get("cleanup.policy", ""):
        reason = f"{needed} reads it whole at each start, and cleanup.policy is not compact: old entries would be gone"
        yield Finding(Severity.ERROR, f"topic {name}", reason, _alter(name, "cleanup.policy=compact"))


def _partitions(where: str, spec: TopicSpec, found: TopicFacts, side: TopicSide) -> Finding:
    told = f"it has {found.partitions} partitions, wanted are {spec.partitions}"
    if spec.partitions == 1:
        reason = f"{told}: its records are read in one order, by everybody"
    elif spec.name in side.raw or spec.name.removesuffix(".dlq") in side.raw:
        reason = f"{told}: a key's records would stand in two partitions, a letter not beside its record"
    else:
        reason = f"{told}: keys would move"
    remedy = (
        "partitions never change in place: set topics.raw.partitions, topics.public.partitions or "
        "topics.state_partitions in connect/settings.yaml to what is there, or begin with a new prefix"
    )
    return Finding(Severity.ERROR, where, reason, remedy)


def _settings(where: str, spec: TopicSpec, found: TopicFacts) -> Iterator[Finding]:
    for key, wanted in spec.config.items():
        now = found.config.get(key, "")
        if now != wanted:
            severity, why = _weighed(key, now, wanted)
            yield Finding(severity, where, f"{key} is {now}, wanted is {wanted}: {why}", _APPLY)


def _weighed(key: str, now: str, wanted: str) -> tuple[Severity, str]:
    if key == "cleanup.policy":
        why = (
            "state would be deleted by age" if wanted == "compact" else "older records of a key would be compacted away"
        )
        return Severity.ERROR, why
    if key == "retention.ms":
        if _less(now, wanted):
            return Severity.ERROR, "records would be deleted before they are read"
        return Severity.WARNING, "records are kept for longer than was asked for"
    if key == "max.message.bytes":
        if _less(now, wanted):
            return Severity.ERROR, "the largest rows would not fit, and stop the connector or a worker"
        return Severity.WARNING, "larger records may come than the other links of the chain take"
    return Severity.WARNING, "it differs from what was asked for"


def _less(now: str, wanted: str) -> bool:
    """Whether ``now`` is less than ``wanted``, where -1 is without end."""
    try:
        found, asked = int(now), int(wanted)
    except ValueError:
        return True
    return found != -1 and (asked == -1 or found < asked)


def _never(where: str, spec: TopicSpec, found: TopicFacts, side: TopicSide) -> Iterator[Finding]:
    """What is never right, whatever was asked for."""
    limit = found.config.get("retention.bytes", "-1")
    if limit != "-1" and spec.config.get("cleanup.policy") == "delete":
        reason = f"retention.bytes is {limit}: a busy hour would push records out that nobody has read"
        severity = Severity.ERROR if spec.name in side.raw or spec.name.endswith(".dlq") else Severity.WARNING
        yield Finding(severity, where, reason, _alter(spec.name, "retention.bytes=-1"))
    if found.config.get("unclean.leader.election.enable") == "true":
        reason = "unclean.leader.election.enable is true: a replica that lags may lead, and acknowledged records vanish"
        yield Finding(Severity.ERROR, where, reason, _alter(spec.name, "unclean.leader.election.enable=false"))
    if found.replication > 1:
        yield from _insync(where, spec, found)


def _insync(where: str, spec: TopicSpec, found: TopicFacts) -> Iterator[Finding]:
    least = int(found.config.get("min.insync.replicas") or 1)
    if least > found.replication:
        reason = f"min.insync.replicas is {least} of {found.replication} replicas: nothing can be written"
        yield Finding(Severity.ERROR, where, reason, _alter(spec.name, f"min.insync.replicas={found.replication - 1}"))
    elif found.replication >= 3 and least < 2:
        reason = f"min.insync.replicas is {least}: what only one broker has counts as written, and may be lost with it"
        yield Finding(Severity.WARNING, where, reason, _alter(spec.name, "min.insync.replicas=2"))
    if 0 < found.in_sync < least:
        reason = f"only {found.in_sync} replicas are in sync, {least} are needed: nothing can be written now"
        yield Finding(Severity.ERROR, where, reason, "bring the missing brokers back")


def _alter(topic: str, setting: str) -> str:
    named = f"--entity-type topics --entity-name {topic}"
    return f"kafka-configs.sh --bootstrap-server … --alter {named} --add-config {setting}"


def _replication(side: TopicSide) -> Iterator[Finding]:
    """Said once for all topics that are alike in it."""
    short: dict[tuple[int, int], list[str]] = {}
    for spec in side.wanted:
        found = side.now.get(spec.name)
        if found is not None and 0 < found.replication < max(spec.replication, 2):
            short.setdefault((found.replication, spec.replication), []).append(spec.name)
    for (now, wanted), names in short.items():
        reason = f"{len(names)} topics stand on {now} broker{'s' if now > 1 else ''}: lost with it"
        if side.brokers == 1 and wanted <= now:
            yield Finding(Severity.NOTE, "replication", f"{reason} (the cluster has only one)", _REPLICATE)
            continue
        told = f", {wanted} were asked for" if wanted > now else ""
        yield Finding(Severity.WARNING, "replication", f"{reason}{told}: {', '.join(names)}", _REPLICATE)


_REPLICATE = (
    "topics.replication: 3 in connect/settings.yaml on a cluster of three brokers or more; existing topics by "
    "kafka-reassign-partitions.sh"
)


def _fine(side: TopicSide, bad: set[str]) -> Iterator[str]:
    well = [spec.name for spec in side.wanted if f"topic {spec.name}" not in bad]
    yield f"{len(well)} of {len(side.wanted)} topics have the partitions and settings that were asked for"
    raw = [name for name in sorted(side.raw) if name in well]
    if raw:
        yield f"raw topics keep records long enough, with as many partitions as their dead letters: {', '.join(raw)}"
