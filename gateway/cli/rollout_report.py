"""What `gateway rollout` tells: plans, outcomes and where everything stands."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from gateway.bridge.commands import Kind
from gateway.bridge.standing_orders import barriers_of, paused_by
from gateway.services.rollout import Outcome, Standing
from gateway.services.rollout_plan import Plan

__all__ = ["outcome_as_json", "plan_as_json", "show_outcome", "show_plan", "show_status", "status_as_json"]


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True, markup=False)


def plan_as_json(plan: Plan) -> dict[str, Any]:
    """A plan as plain values."""
    changes = {topic: {"now": now, "then": then} for topic, (now, then) in plan.changes.items()}
    return {"in_force": plan.now, "version": plan.version, "changes": changes, "refused": list(plan.refused)}


def show_plan(plan: Plan) -> None:
    """Print a plan."""
    console = _console()
    console.print(f"in force  {plan.now or 'not known'}")
    console.print(f"new       {plan.version or 'does not load'}")
    for topic, (now, then) in plan.changes.items():
        console.print(f"  {topic}  {now or '-'} -> {then}")
    if plan.version and not plan.changes:
        console.print("nothing would change")
    for reason in plan.refused:
        console.print(f"refused: {reason}", style="red")
    if plan.changes and not plan.refused:
        console.print("`gateway diff` shows what that does to events; `gateway rollout start --why …` does it")


def outcome_as_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome as plain values."""
    answers = [
        {
            "topic": place.topic,
            "partition": place.partition,
            "result": ack.result,
            "offset": ack.offset,
            "told": ack.told,
        }
        for place, ack in sorted(outcome.answers.items())
    ]
    return {
        "barrier": outcome.barrier,
        "committed": outcome.decision is Kind.COMMIT,
        "version": outcome.version,
        "before": outcome.before,
        "cut": list(outcome.cut),
        "tries": outcome.tries,
        "answers": answers,
        "no_answer": [{"topic": place.topic, "partition": place.partition} for place in outcome.silent],
    }


def show_outcome(outcome: Outcome) -> None:
    """Print an outcome."""
    console = _console()
    done = "committed" if outcome.decision is Kind.COMMIT else "cancelled"
    incarnation, lsn = outcome.cut
    tries = f" at try {outcome.tries}" if outcome.tries > 1 else ""
    console.print(f"{done} {outcome.barrier}{tries}: {outcome.before} -> {outcome.version} from {incarnation}.{lsn} on")
    for place, ack in sorted(outcome.answers.items()):
        if ack.told or outcome.decision is not Kind.COMMIT:
            console.print(f"  {place}  {ack.result} at {ack.offset}  {ack.told}".rstrip())
    for place in outcome.silent:
        console.print(f"  {place}  no answer: no worker owns it, or it stands still", style="red")


def status_as_json(standing: Standing) -> dict[str, Any]:
    """Where everything stands, as plain values."""
    return {
        "in_force": standing.in_force,
        "rollouts": [
            {
                "barrier": one.id,
                "version": one.version,
                "before": one.before,
                "cut": list(one.cut or ()),
                "who": one.who,
                "why": one.why,
                "at_ms": one.at_ms,
                "decision": str(standing.history.decision(one.id) or "undecided"),
            }
            for one in standing.history.prepared()
        ],
        "partitions": [_partition(standing, place) for place in sorted(standing.partitions)],
    }


def _partition(standing: Standing, place: Any) -> dict[str, Any]:
    found = standing.partitions[place]
    known: dict[str, Any] = {"topic": place.topic, "partition": place.partition}
    if found is None:
        return {**known, "offset": None}
    offset, progress = found
    return {
        **known,
        "offset": offset,
        "digest": progress.digest,
        "settled": list(progress.hi[:2]) if progress.hi else None,
        "paused_by": paused_by(progress.barriers),
        "to_pass": [
            {"barrier": one.id, "cut": list(one.cut), "version": one.version, "committed": one.committed}
            for one in barriers_of(progress.barriers)
        ],
    }


def show_status(standing: Standing) -> None:
    """Print where everything stands."""
    console, told = _console(), status_as_json(standing)
    console.print(f"in force  {told['in_force'] or 'not known: the partitions have different rules, or none yet'}")
    for one in told["rollouts"]:
        cut = ".".join(map(str, one["cut"]))
        console.print(
            f"{one['decision']:<10}{one['barrier']}  {one['before']} -> {one['version']} from {cut} on  "
            f"{one['who']}: {one['why']}"
        )
    for one in told["partitions"]:
        place = f"{one['topic']}[{one['partition']}]"
        if one["offset"] is None:
            console.print(f"  {place}  not begun")
            continue
        paused = f"  paused by {one['paused_by']}" if one["paused_by"] else ""
        waits = "".join(
            f"  {'to pass' if b['committed'] else 'armed at'} {b['cut'][0]}.{b['cut'][1]}" for b in one["to_pass"]
        )
        console.print(f"  {place}  at {one['offset']}  rules {one['digest']}{paused}{waits}")
