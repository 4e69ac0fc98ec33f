"""Faults between gateway and broker: a commit's request or answer that is lost, or comes when nobody waits for it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from ..installation import Installation
from .bench import Bench
from .registry import fault
from .wire import LATE, Act, Request, Wire, wired_broker


@contextmanager
def _wired(bench: Bench) -> Iterator[tuple[Bench, Wire, str]]:
    """A bench on a broker of its own; what became of it is the outer bench's."""
    with wired_broker(bench.folder / "broker", bench.stack.cache) as (stack, wire):
        at = stack.endpoints.bootstrap
        installation = Installation(at, bench.installation.registry_url, f"t{secrets.token_hex(3)}.")
        installation.extra.update(bench.installation.extra)
        inner = Bench(stack, installation, bench.folder / "inner", bench.seed)
        outside = f"127.0.0.1:{wire.port}"
        try:
            yield inner, wire, outside
            bench.concluded = inner.verdict()
        finally:
            installation.close()
            inner.watcher.stop()
            bench.strikes, bench.recoveries = inner.strikes, inner.recoveries
            bench.source, bench.raw_duplicates = inner.source, inner.raw_duplicates
            bench.installation.running += installation.running
            bench.notes += inner.notes


def _struck(bench: Bench, strikes: int, request: Request, act: Act) -> None:
    with _wired(bench) as (inner, wire, outside):
        gateway = inner.gateway(GATEWAY_BOOTSTRAP=outside)
        inner.serving(gateway)
        with inner.load():
            for _ in range(strikes):
                count, late = len(wire.proofs), len(wire.late_answers)
                wire.strike(request, act)
                inner.installation.wait(lambda count=count: len(wire.proofs) > count, 60)  # type: ignore[misc]
                inner.strikes += 1
                if act == "delayed":
                    inner.installation.wait(lambda late=late: len(wire.late_answers) > late, LATE + 30)  # type: ignore[misc]
                inner.recover()
        if wire.late_answers:
            inner.notes.append(f"answers to what came late: {sorted(set(wire.late_answers))}")


@fault("F4 A4", "a commit's answer lost on the wire", chaos=4, full=50)
def wire_answer_lost(bench: Bench, strikes: int) -> None:
    _struck(bench, strikes, "commit", "answer-lost")


@fault("F4 A4", "a commit lost on the wire", chaos=4, full=50)
def wire_commit_lost(bench: Bench, strikes: int) -> None:
    _struck(bench, strikes, "commit", "lost")


@fault("F4 A4", "a commit that arrives seconds after its connection broke", chaos=4, full=50, few=2)
def wire_commit_delayed(bench: Bench, strikes: int) -> None:
    _struck(bench, strikes, "commit", "delayed")


@fault("F4 A4", "offsets of a transaction that arrive seconds after their connection broke", chaos=4, full=50)
def wire_offsets_delayed(bench: Bench, strikes: int) -> None:
    _struck(bench, strikes, "offsets", "delayed")
