"""Commands of the control log, what each is aimed at, and what partitions answer (protocol.md 8)."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from gateway.model.errors import ConfigError

__all__ = ["ALL", "Ack", "Command", "Kind", "Result", "aims_at", "partition_target", "read_command", "topic_target"]

FORMAT = 1
ALL = "all"


class Kind(StrEnum):
    """What a command asks for. RULES stores a version of the rules; the last three are a barrier's steps."""

    PAUSE = "pause"
    RESUME = "resume"
    RULES = "rules"
    PREPARE = "prepare"
    COMMIT = "commit"
    CANCEL = "cancel"


class Command(msgspec.Struct, frozen=True, omit_defaults=True):
    """One record of the control log. ``targets``: see ``aims_at``; ``at_ms``: when it was given, wall clock.

    ``barrier``: id of the prepare that a commit or cancel decides; ``cut``: incarnation and X of a prepare;
    ``version``: of the rules that it stores or brings into force, ``before``: the version that it replaces;
    ``digests``: of a stored version, by raw topic; ``files``: of a stored version, compressed.
    """

    id: str
    kind: str
    who: str
    why: str
    targets: tuple[str, ...] = ()
    at_ms: int = 0
    barrier: str = ""
    cut: tuple[int, int] | None = None
    version: str = ""
    before: str = ""
    digests: dict[str, str] = {}
    files: bytes = b""
    v: int = FORMAT

    def encoded(self) -> bytes:
        """The record's value."""
        return msgspec.json.encode(self)


_decoder = msgspec.json.Decoder(Command)


def read_command(value: bytes) -> Command:
    """The command in a record. ConfigError: it is damaged, or a newer release gave it."""
    try:
        command = _decoder.decode(value)
    except msgspec.MsgspecError as error:
        raise ConfigError(f"a record is no command: {error}", where="gateway.control") from error
    if command.v != FORMAT or command.kind not in list(Kind):
        hint = "run the release that gave it, or a newer one"
        raise ConfigError(f"the command {command.id} ({command.kind[:20]}) is of a newer release", hint=hint)
    return command


def topic_target(topic: str) -> str:
    """Aims at all partitions of a raw topic, named with the installation's prefix."""
    return f"topic={topic}"


def partition_target(topic: str, partition: int) -> str:
    """Aims at one raw partition."""
    return f"partition={topic}/{partition}"


def aims_at(command: Command, topic: str, partition: int) -> bool:
    """Whether the command is for this raw partition."""
    wanted = (ALL, topic_target(topic), partition_target(topic, partition))
    return any(target in wanted for target in command.targets)


class Result(StrEnum):
    """What a partition made of a command. NOTHING: it was so already."""

    PAUSED = "paused"
    RESUMED = "resumed"
    ARMED = "armed"
    LATE = "late"
    REFUSED = "refused"
    COMMITTED = "committed"
    CANCELLED = "cancelled"
    NOTHING = "nothing"


class Ack(msgspec.Struct, frozen=True, omit_defaults=True):
    """A partition's answer, written in the transaction that has the command's effect.

    ``offset``: all raw records below it are settled; ``position``: incarnation and ``c`` of the last row settled.
    """

    result: str
    offset: int
    position: tuple[int, int] | None = None
    told: str = ""
    v: int = FORMAT
