"""`gateway rollout`: other rules from one cut of the source's log on, in every partition the same, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.bridge.commands import Kind
from gateway.cli.commanding import OutputOption, WhoOption, WhyOption, given_by
from gateway.cli.examples import examples
from gateway.cli.failing import CONFIG, failures_told
from gateway.cli.rollout_report import (
    outcome_as_json,
    plan_as_json,
    show_outcome,
    show_plan,
    show_status,
    status_as_json,
)
from gateway.model.errors import ConfigError
from gateway.services.rollout import Outcome
from gateway.services.rollout_plan import Candidate, compare
from gateway.services.rule_versions import RuleVersion
from gateway.settings import Settings
from gateway.wiring import wire_rollout

__all__ = ["app"]

app = typer.Typer(
    help="Bring changed rules into force from one cut on, and take them back.",
    no_args_is_help=True,
    add_completion=False,
)

FolderOption = Annotated[
    Path | None, typer.Option("--mappings", help="Folder of the new rules. Default: the settings'.")
]
TimeoutOption = Annotated[float, typer.Option("--timeout", min=1, help="Seconds for all partitions to answer.")]
AtOption = Annotated[str, typer.Option("--at", help="The cut as INCARNATION.LSN, instead of one soon from now.")]


@app.command(epilog=examples("gateway rollout plan", "gateway rollout plan --mappings ../new/mappings -o json"))
def plan(mappings: FolderOption = None, output: OutputOption = "text") -> None:
    """Say what a rollout would change, and whether it would be refused; nothing is done.

    Exit status: 0 it can be started (or nothing would change), 2 it is refused, with every reason.
    """
    with failures_told():
        settings = _settings(mappings)
        with wire_rollout(settings) as rolling:
            found = compare(rolling.judge.candidate(settings.mappings), rolling.rollout.standing())
    print(json.dumps(plan_as_json(found), indent=1)) if output == "json" else show_plan(found)
    if found.refused:
        raise typer.Exit(CONFIG)


@app.command(
    epilog=examples(
        'gateway rollout start --why "addresses without a street, INC-12"',
        'gateway rollout start --mappings ../new/mappings --why "release 7" -o json',
    )
)
def start(
    why: WhyOption,
    mappings: FolderOption = None,
    who: WhoOption = "",
    timeout: TimeoutOption = 20,
    at: AtOption = "",
    output: OutputOption = "text",
) -> None:
    """Bring the folder's rules into force: database transactions behind a cut have them, those before it the old ones.

    Exit status: 0 committed, 1 not committed (the old rules stay in force), 2 refused before anything was done.
    """
    with failures_told():
        who, why = given_by(why, who)
        cut = _cut(at)
        settings = _settings(mappings)
        with wire_rollout(settings) as rolling:
            candidate = rolling.judge.candidate(settings.mappings)
            refused = compare(candidate, rolling.rollout.standing()).refused
            if refused:
                raise ConfigError("the rules are refused, the old ones stay in force:\n" + "\n".join(refused))
            outcome = rolling.rollout.start(_version(candidate), who, why, timeout, cut)
    _end(outcome, output)


@app.command(epilog=examples('gateway rollout rollback --why "INC-13: moves are doubled"'))
def rollback(
    why: WhyOption, who: WhoOption = "", timeout: TimeoutOption = 20, at: AtOption = "", output: OutputOption = "text"
) -> None:
    """Bring back the rules that the last rollout replaced, from a new cut on; what was published stays published.

    Exit status: 0 committed, 1 not committed, 2 there is nothing to take back, or it cannot be used any more.
    """
    with failures_told():
        who, why = given_by(why, who)
        cut = _cut(at)
        with wire_rollout(Settings()) as rolling:
            rolling.judge.check_way_back(rolling.rollout.standing())
            outcome = rolling.rollout.rollback(who, why, timeout, cut)
    _end(outcome, output)


@app.command(epilog=examples("gateway rollout status", "gateway rollout status -o json"))
def status(output: OutputOption = "text") -> None:
    """Which rules are in force, what was rolled out, and where each partition stands."""
    with failures_told(), wire_rollout(Settings()) as rolling:
        standing = rolling.rollout.standing()
    print(json.dumps(status_as_json(standing), indent=1)) if output == "json" else show_status(standing)


def _settings(mappings: Path | None) -> Settings:
    settings = Settings()
    return settings if mappings is None else settings.model_copy(update={"mappings": mappings})


def _version(candidate: Candidate) -> RuleVersion:
    assert candidate.version is not None
    return candidate.version


def _cut(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    incarnation, dot, lsn = text.partition(".")
    if not (dot and incarnation.isdigit() and lsn.isdigit()):
        raise ConfigError(f"{text[:60]} is no cut", hint="write it as INCARNATION.LSN, such as 1.26849336")
    return int(incarnation), int(lsn)


def _end(outcome: Outcome, output: str) -> None:
    if output == "json":
        print(json.dumps(outcome_as_json(outcome), indent=1))
    else:
        show_outcome(outcome)
    if outcome.decision is not Kind.COMMIT:
        if output == "text":
            Console(stderr=True).print("the old rules stay in force", style="red")
        raise typer.Exit(1)
