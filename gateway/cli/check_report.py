"""How `gateway check` tells its verdict: text for people, JSON, or annotations of a pull request."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.console import Console

from gateway.services.check import Break, Verdict

__all__ = ["shown"]


def shown(verdict: Verdict, output: str) -> None:
    """Print it. ``output``: text, json or github."""
    if output == "json":
        print(json.dumps(_as_json(verdict)))
    elif output == "github":
        for one in verdict.breaks:
            print(_as_github(one))
    else:
        _as_text(verdict)


def _as_json(verdict: Verdict) -> dict[str, object]:
    return {
        "broken": verdict.broken,
        "breaks": [
            {**asdict(one), "consumers": [consumer.name for consumer in one.consumers]} for one in verdict.breaks
        ],
        "checked": [asdict(one) for one in verdict.checked],
        "unseen": [asdict(one) for one in verdict.unseen],
    }


def _as_github(one: Break) -> str:
    """One workflow command, which GitHub shows as an annotation of the line."""
    level = "warning" if one.warning else "error"
    place = f"file={_escaped(one.file, more=True)},line={one.line},col={one.column}"
    told = "\n".join([one.what, *_details(one)])
    return f"::{level} {place},title={_escaped(one.concerned or one.layer, more=True)}::{_escaped(told)}"


def _escaped(text: str, *, more: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if more else text


def _as_text(verdict: Verdict) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for one in verdict.breaks:
        level, style = ("warning", "yellow") if one.warning else ("broken", "bold red")
        concerned = f"  {one.concerned}" if one.concerned else ""
        console.print(
            f"{one.file}:{one.line}:{one.column}: {level}{concerned}  [{one.layer}]", style=style, markup=False
        )
        for line in (one.what, *_details(one)):
            console.print(f"    {line}", markup=False)
    for seen in verdict.checked:
        console.print(f"looked at      {seen.layer}: {seen.told}", style="green", markup=False)
    for missed in verdict.unseen:
        console.print(f"not looked at  {missed.layer}: {missed.told}", style="yellow", markup=False)
    broken = sum(not one.warning for one in verdict.breaks)
    told = f"{broken} broken, {len(verdict.breaks) - broken} warnings"
    console.print(
        told if verdict.breaks else "every layer that was looked at fits the next", style="bold", markup=False
    )


def _details(one: Break) -> list[str]:
    """Rules, fields, consumers and remedy, as far as there are any."""
    told = [
        ("rules", ", ".join(f"{rule.name} ({rule.place})" for rule in one.rules)),
        ("fields", ", ".join(one.fields)),
        ("consumers", ", ".join(map(str, one.consumers))),
        ("mend", one.remedy),
    ]
    return [f"{name}: {text}" for name, text in told if text]
