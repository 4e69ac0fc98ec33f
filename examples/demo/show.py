"""The acts of the demo, in order."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from demo.audience import Audience
from demo.capture import RawTopics
from demo.metrics import WorkerMetrics
from demo.stage import ROOT, Stage, StageError, wait
from demo.verdict import Figures, as_published, judge, write_projection, write_views
from gateway.pipeline.progress import Counters
from legacy_db import create_schema, run, seed
from legacy_db.truth import TruthTransaction, read_truth, settle

__all__ = ["app"]

app = typer.Typer(add_completion=False)

RAW = ("legacy.customer.raw", "legacy.policy.raw", "legacy.billing.raw", "legacy.claim.raw")
PUBLIC = ("customer.events", "policy.events", "billing-account.events", "claim.events")
WORKERS = 2
PACE = 120.0  # transactions a second: old applications on a busy day, not a load test

console = Console(highlight=False, soft_wrap=True)


@app.command()
def main(
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running afterwards.")] = False,
    stop: Annotated[
        bool, typer.Option("--stop", help="Only stop what --keep left running, and forget its data.")
    ] = False,
    state: Annotated[Path, typer.Option(help="Folder for all that the demo keeps.")] = ROOT / ".state" / "demo",
    recording: Annotated[Path | None, typer.Option(help="Also record the raw topics into this file.")] = None,
    seed_: Annotated[int, typer.Option("--seed", envvar="GATEWAY_SEED")] = 1,
    transactions: Annotated[int, typer.Option(envvar="GATEWAY_TRANSACTIONS", min=1)] = 3000,
    customers: Annotated[int, typer.Option(envvar="GATEWAY_CUSTOMERS", min=20)] = 2000,
) -> None:
    """Bring the stack up, let the legacy applications work, translate, and compare what was published with the truth.

    The last line is one JSON object. Exit status 1 if anything is missing, extra, wrong, or not as expected.
    """
    state.mkdir(parents=True, exist_ok=True)
    stage = Stage(state)
    stage.stop()
    if stop:
        return
    try:
        figures = _Demo(stage, seed_, transactions, customers, recording, keep).play()
    except StageError as error:
        console.print(f"[red]The demo failed:[/red] {error}")
        console.print(stage.log_tail(), markup=False)
        raise typer.Exit(1) from error
    finally:
        if not keep:
            stage.stop()
    if keep:
        _tell_what_to_try(stage)
    for problem in figures.problems:
        console.print(f"[red]not as it must be:[/red] {problem}")
    sys.stdout.flush()
    print(json.dumps(figures.line), flush=True)
    raise typer.Exit(1 if figures.problems else 0)


@dataclass(slots=True)
class _Demo:
    stage: Stage
    seed: int
    transactions: int
    customers: int
    recording: Path | None
    keep: bool
    began: float = field(default_factory=time.monotonic)

    def play(self) -> Figures:
        with self.act("stack up: PostgreSQL, Kafka, Connect with Debezium, Apicurio"):
            ends = self.stage.stack.up(progress=lambda *_: None, detached=self.keep)
        with self.act(f"legacy schema, {self.customers:,} customers"):
            create_schema(ends.postgres_dsn)
            seed(ends.postgres_dsn, seed=self.seed, customers=self.customers)
        with self.act("event contracts pushed to the registry"):
            self.stage.gateway("schemas", "push")
        with self.act("connector applied, snapshot taken"):
            self.stage.gateway("connect", "apply", "--yes", "--wait")
        with self.act(f"{WORKERS} workers started"):
            self.stage.start_workers(WORKERS)
            audience = Audience(ends.bootstrap, ends.registry_url, PUBLIC)
            metrics = WorkerMetrics(self.stage.workers_log)
            wait(lambda: bool(metrics.address), 30, "workers did not start")
        raw = RawTopics(ends.bootstrap, RAW, "legacy.transaction", "gateway")
        with self.act("snapshot translated into state events"):
            self._await_settled(raw, 90)
        truth = self._work(audience)
        with self.act("captured and settled to the last record"):
            written = {one.tx_id for one in truth if one.committed and one.tx_id and one.facts}
            raw.await_ended(written, 90, lambda _: None)
            self._await_settled(raw, 60)
            counts = raw.counts()
            wait(lambda: len(audience.heard) >= counts.events, 60, f"the consumer did not hear {counts.events} events")
            settled = _settled_records(metrics, counts)
        audience.close()
        raw.close()
        with self.act("reconcile"):
            differences = self._reconcile(audience)
        if self.recording is not None:
            with self.act("raw topics recorded"):
                self.stage.gateway("recording", "capture", str(self.recording.resolve()))
        ignored = Counter[str]()
        for (outcome, reason, _), count in settled.items():
            if outcome == "ignored":
                ignored[reason] += int(count)
        return self._judge(truth, audience, counts, dict(ignored), differences)

    def _judge(
        self,
        truth: list[TruthTransaction],
        audience: Audience,
        counts: Counters,
        ignored: dict[str, int],
        differences: int,
    ) -> Figures:
        gateway = {
            "raw_records": counts.consumed,
            "ignored": ignored,
            "unexplained": counts.unexplained,
            "dead_letters": counts.dead_sets,
            "parked": counts.parked_sets,
        }
        about = {
            "seed": self.seed,
            "legacy_transactions": sum(one.committed for one in truth),
            "seconds": round(time.monotonic() - self.began, 1),
        }
        figures = judge(truth, audience.heard, gateway, differences, about)
        _print_figures(figures, audience)
        if counts.consumed != counts.published + counts.ignored + counts.dead_lettered + counts.parked:
            raise StageError(f"outcomes do not add up: {counts}")
        if sum(ignored.values()) != counts.ignored:
            raise StageError(f"metrics say {sum(ignored.values())} ignored, the committed counters {counts.ignored}")
        return figures

    def _work(self, audience: Audience) -> list[TruthTransaction]:
        path = self.stage.state / "truth.jsonl"
        path.unlink(missing_ok=True)
        dsn = self.stage.endpoints.postgres_dsn
        done = 0

        def told(count: int) -> None:
            nonlocal done
            done = count

        worked = threading.Thread(
            target=run,
            args=(dsn,),
            kwargs={
                "seed": self.seed,
                "transactions": self.transactions,
                "truth_path": path,
                "progress": told,
                "connections": 8,
                "rate": PACE,
            },
            daemon=True,
        )
        with self.act(f"legacy applications: {self.transactions:,} transactions over 8 connections"):
            worked.start()
            self._watch(worked, audience, lambda: done)
        settle(path, dsn)
        return list(read_truth(path))

    def _watch(self, worked: threading.Thread, audience: Audience, done: Any) -> None:
        if not console.is_terminal:
            last = time.monotonic()
            while worked.is_alive():
                worked.join(0.25)
                if time.monotonic() - last >= 5:
                    last = time.monotonic()
                    console.print(f"    {done():,} transactions, {len(audience.heard):,} events heard")
            return
        with Live(_table(audience, done()), console=console, refresh_per_second=4, transient=True) as live:
            while worked.is_alive():
                worked.join(0.25)
                live.update(_table(audience, done()))

    def _await_settled(self, raw: RawTopics, seconds: float) -> None:
        def look() -> bool:
            if not self.stage.workers_alive():
                raise StageError("the workers ended by themselves")
            return raw.settled()

        try:
            wait(look, seconds, "the workers did not settle every record")
        except StageError as error:
            health = WorkerMetrics(self.stage.workers_log).health()
            raise StageError(f"{error}: {raw.count()} in the raw topics, settled {raw.counts()}\n{health}") from error

    def _reconcile(self, audience: Audience) -> int:
        projection, views = self.stage.state / "projection.jsonl", self.stage.state / "views.yaml"
        write_projection(projection, as_published(audience.heard))
        write_views(views)
        told = json.loads(
            self.stage.gateway("reconcile", str(projection), "--views", str(views), "-o", "json", may_fail=(1,))
        )
        for difference in told["shown"]:
            console.print(f"    {difference}", markup=False)
        console.print(f"    {told['compared_rows']:,} rows compared, {told['parked_rows']} of parked aggregates apart")
        return int(told["differences"])

    @contextmanager
    def act(self, title: str) -> Iterator[None]:
        """Tell what is being done, and how long it took."""
        start = time.monotonic()
        console.print(f"[bold]▸[/bold] {title} …")
        yield
        console.print(f"  [green]✓[/green] {time.monotonic() - start:.1f} s")


def _settled_records(metrics: WorkerMetrics, counts: Counters) -> Counter[tuple[str, ...]]:
    """The workers' own count of settled records, told with a delay: once it has caught up with the committed one."""
    found: list[Counter[tuple[str, ...]]] = []

    def caught_up() -> bool:
        found.append(metrics.read()["gateway_records_total"])
        return sum(found[-1].values()) >= counts.consumed

    wait(caught_up, 15, f"the metrics page did not tell of {counts.consumed} records")
    return found[-1]


def _table(audience: Audience, done: int | None = None) -> Table:
    table = Table("event", "intent", "count", title=None if done is None else f"{done:,} transactions")
    table.columns[2].justify = "right"
    for (event, intent), count in sorted(
        audience.by_event.copy().items(), key=lambda item: (item[0][1] == "state", item[0])
    ):
        table.add_row(event, intent, f"{count:,}")
    return table


def _print_figures(figures: Figures, audience: Audience) -> None:
    console.print(_table(audience))
    outcome = Table("figure", "value", show_header=False)
    for name, value in figures.line.items():
        told = (
            ", ".join(f"{reason} {count:,}" for reason, count in value.items())
            if isinstance(value, dict)
            else str(value)
        )
        outcome.add_row(name.replace("_", " "), told)
    console.print(outcome)
    for one in figures.comparison.missing[:10]:
        console.print(f"missing: {one}", markup=False)
    for extra in figures.comparison.extra[:10]:
        console.print(f"extra: {extra}", markup=False)
    for wrong in figures.comparison.wrong[:10]:
        console.print(f"wrong: {wrong}", markup=False)


def _tell_what_to_try(stage: Stage) -> None:
    ends = stage.endpoints
    console.print("\n[bold]Everything is running.[/bold] In another terminal:\n")
    for name in ("BOOTSTRAP", "REGISTRY_URL", "CONNECT_URL", "LEGACY_DSN"):
        console.print(f"  export GATEWAY_{name}='{stage.environment[f'GATEWAY_{name}']}'", markup=False)
    console.print(
        "  .venv/bin/gateway tail                      # events as they are published\n"
        f"  psql '{ends.postgres_dsn}'   # change a row of crm.cust_addr and look at the tail\n"
        "  .venv/bin/gateway connect status\n"
        "  make down                                   # stop everything\n",
        markup=False,
    )
