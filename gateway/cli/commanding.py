"""What the commands that speak to running workers share: their options, and what they tell of the answers."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import typer
from rich.console import Console

from gateway.bridge.commands import Ack, Command, Kind
from gateway.cli.failing import failures_told
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError
from gateway.ports import Partition
from gateway.services.control import new_id, whoami
from gateway.services.control_targets import Aim, aim
from gateway.settings import Settings
from gateway.wiring import wire_cluster, wire_desk

__all__ = [
    "AllOption",
    "CapabilityOption",
    "OutputOption",
    "PartitionOption",
    "TopicOption",
    "WaitOption",
    "WhoOption",
    "WhyOption",
    "give",
    "given_by",
]

AllOption = Annotated[bool, typer.Option("--all", help="Every raw partition of the mappings.")]
TopicOption = Annotated[list[str] | None, typer.Option("--topic", help="A raw topic; may be given several times.")]
PartitionOption = Annotated[list[str] | None, typer.Option("--partition", help="One partition, as customer.raw/3.")]
CapabilityOption = Annotated[list[str] | None, typer.Option("--capability", help="All raw topics of a capability.")]
WhyOption = Annotated[str, typer.Option("--why", help="The reason; it stands in the control log.")]
WhoOption = Annotated[str, typer.Option("--who", help="Who asks for it. Default: user@machine.")]
WaitOption = Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for the partitions' answers.")]
OutputOption = Annotated[Literal["text", "json"], typer.Option("-o", "--output", help="text or json")]


def give(kind: Kind, said: Aim, why: str, who: str, wait: float, output: str) -> None:
    """Give one command and tell who answered; exit status 1 if it was waited for and some did not."""
    with failures_told():
        settings = Settings()
        command, places = _command(settings, kind, said, why, who)
        desk = wire_desk(settings)
        try:
            offset = desk.give(command)
            answers = desk.answers(command.id, places, wait) if wait else {}
            if answers:
                desk.tidy(command.id, answers)
        finally:
            desk.close()
    silent = [place for place in places if place not in answers] if wait else []
    if output == "json":
        print(json.dumps(_as_json(command, offset, answers, silent), indent=1))
    else:
        _show(command, places, answers, silent)
    if silent:
        raise typer.Exit(1)


def given_by(why: str, who: str) -> tuple[str, str]:
    """Who and why, both said. ConfigError: an empty reason."""
    if not why.strip():
        raise ConfigError("--why is empty", hint="say why: it is all that others will find in the control log")
    return who.strip() or whoami(), why.strip()


def _command(settings: Settings, kind: Kind, said: Aim, why: str, who: str) -> tuple[Command, Sequence[Partition]]:
    who, why = given_by(why, who)
    cluster = wire_cluster(settings)
    try:
        aimed = aim(said, load(settings.mappings), settings.topic, cluster)
    finally:
        cluster.close()
    return Command(new_id(), kind, who, why, aimed.targets, int(time.time() * 1000)), aimed.places


def _as_json(
    command: Command, offset: int, answers: Mapping[Partition, Ack], silent: Sequence[Partition]
) -> dict[str, object]:
    answered = [
        {"topic": place.topic, "partition": place.partition, "result": ack.result, "offset": ack.offset}
        for place, ack in sorted(answers.items())
    ]
    return {
        "command": command.id,
        "kind": command.kind,
        "offset": offset,
        "targets": command.targets,
        "answered": answered,
        "no_answer": [{"topic": place.topic, "partition": place.partition} for place in silent],
    }


def _show(
    command: Command, places: Sequence[Partition], answers: Mapping[Partition, Ack], silent: Sequence[Partition]
) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{command.kind} {command.id}: {len(places)} partitions", markup=False)
    for place, ack in sorted(answers.items()):
        told = f"  ({ack.told})" if ack.told else ""
        console.print(f"  {place}  {ack.result} at {ack.offset}{told}", markup=False)
    if silent:
        error = Console(stderr=True, highlight=False, soft_wrap=True)
        named = ", ".join(map(str, silent))
        error.print(f"no answer from {named}: no worker owns them, or it stands still", style="red", markup=False)
