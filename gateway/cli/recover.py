"""`gateway recover`: the group's offsets back from the copy in the state topic."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import typer
from rich.console import Console

from gateway.cli.examples import examples
from gateway.cli.failing import failures_told
from gateway.mapping.loader import load
from gateway.pipeline.progress import Progress
from gateway.services.recover import Recovery
from gateway.services.recover import recover as recover_offsets
from gateway.services.recover_judge import Action, Judgement
from gateway.settings import Settings
from gateway.wiring import wire_cluster, wire_group, wire_state

__all__ = ["app"]

app = typer.Typer(help="Offsets of the group back from what the state topic remembers.", add_completion=False)

_COLOURS = {Action.WRITE: "yellow", Action.CANNOT: "bold red", Action.IN_PLACE: "green", Action.LEFT: "cyan"}


@app.command(
    epilog=examples(
        "gateway recover                           what would be written, and what is wrong",
        "gateway recover --yes                     write it; stop `gateway run` first",
        "gateway recover --accept-loss             where retention overtook a stopped worker, too",
        "gateway recover -o json | jq .partitions",
    )
)
def recover(
    yes: Annotated[bool, typer.Option("--yes", help="Write; without it nothing is changed.")] = False,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Go on behind records that retention deleted before they were read.")
    ] = False,
    output: Annotated[Literal["text", "json"], typer.Option("-o", "--output", help="text or json")] = "text",
) -> None:
    """Write the group's offsets back, with their metadata, exactly as they were committed last.

    Workers refuse to start where these were deleted, expired or set by hand. Exit status 1: something is not as it
    should be, or would have to be written.
    """
    with failures_told():
        settings = Settings()
        topics = {settings.topic(topic) for mapping in load(settings.mappings) for topic in mapping.topics}
        state = wire_state(settings, "recover")
        try:
            done = recover_offsets(
                wire_group(settings),
                wire_cluster(settings),
                state,
                settings.topic("gateway.state"),
                topics,
                write=yes,
                accept_loss=accept_loss,
            )
        finally:
            state.close()
    group = settings.topic(settings.group)
    if output == "json":
        print(json.dumps(_as_json(done, group)))
    else:
        _show(done, group)
    raise typer.Exit(1 if done.open else 0)


def _as_json(done: Recovery, group: str) -> dict[str, object]:
    partitions = [_partition(one) for one in done.judged]
    return {"group": group, "members": list(done.members), "written": done.written, "partitions": partitions}


def _partition(one: Judgement) -> dict[str, object]:
    seen, progress = one.seen, one.progress
    return {
        "topic": seen.place.topic,
        "partition": seen.place.partition,
        "action": one.action.value,
        "reason": one.reason,
        "remedy": one.remedy,
        "offset": None if seen.copy is None else seen.copy.offset,
        "target": None if one.target is None else one.target.offset,
        "lost": one.lost,
        "group_offset": None if seen.group is None else seen.group.offset,
        "low_watermark": seen.low,
        "high_watermark": seen.high,
        "position": None if progress is None else progress.hi,
        "counts": None if progress is None else progress.counters._asdict(),
        "parked_aggregates": seen.parked,
        "metadata": None if seen.copy is None else seen.copy.metadata,
    }


def _show(done: Recovery, group: str) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"group {group}: {len(done.members) or 'no'} members", style="bold", markup=False)
    for one in done.judged:
        console.print(f"  {one.action:<10} {one.seen.place}", style=_COLOURS[one.action], markup=False)
        if one.seen.copy is not None:
            console.print(f"             offset {one.seen.copy.offset}, {_topic(one)}", markup=False)
        if one.progress is not None:
            console.print(f"             {_position(one.progress)}; {_counts(one.progress, one.seen.parked)}")
        console.print(f"             {one.reason}", markup=False)
        if one.remedy:
            console.print(f"             → {one.remedy}", markup=False)
    console.print(_summary(done), style="bold", markup=False)


def _topic(one: Judgement) -> str:
    return "the topic is gone" if one.seen.shape is None else f"the topic holds {one.seen.low} to {one.seen.high}"


def _position(progress: Progress) -> str:
    if progress.hi is None:
        return "no row of the source taken yet"
    return f"source position {progress.hi.incarnation}/{progress.hi.commit}/{progress.hi.lsn}, tx {progress.hi.tx_id}"


def _counts(progress: Progress, parked: int) -> str:
    named = progress.counters._asdict()
    shown = ("consumed", "published", "ignored", "dead_lettered", "parked")
    told = ", ".join(f"{named[name]:,} {name.replace('_', '-')}" for name in shown)
    return f"{told}; {named['events']:,} events; {parked} aggregates parked"


def _summary(done: Recovery) -> str:
    counts = {action: sum(one.action is action for one in done.judged) for action in Action}
    told = ", ".join(f"{count} {action}" for action, count in counts.items() if count) or "nothing is known"
    if done.written:
        return f"{told}: written and read back" if counts[Action.WRITE] else f"{told}: nothing to write"
    if not counts[Action.WRITE]:
        return f"{told}: nothing to write"
    stop = "stop every `gateway run`, then " if done.members else ""
    return f"{told}: nothing was changed; {stop}run it with --yes"
