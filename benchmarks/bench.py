"""`make bench`: one worker, everything on, against a pass-through over the same raw records, in the same run.

Over the demo's recording, amplified. Rounds are interleaved and change who begins; each worker's output is compared
with the reference, event by event. The last line is one JSON object. docs/performance.md says what the figures mean.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.amplify import Amplifier, key_columns
from benchmarks.ground import Ground
from benchmarks.measured import WorkerPlan
from benchmarks.meter import Reading
from benchmarks.passthrough import Plan
from benchmarks.record import make_recording
from benchmarks.reference import Reference, reference
from gateway.adapters.files import read_recording
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load
from gateway.model.record import RawRecord
from gateway.pipeline.encode import WireSettings
from gateway.settings import Settings
from gateway.stack import Stack

__all__ = ["main"]

ROOT = Path(__file__).parents[1]
LEAST_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Round:
    """One pass-through and one worker, one right after the other; ``faults`` of the worker's output."""

    passed: Reading
    worked: Reading
    faults: list[str]

    @property
    def ratio(self) -> float:
        """The worker's records a second as a share of the pass-through's."""
        return self.worked.rate / self.passed.rate

    @property
    def cpu_multiple(self) -> float:
        """The worker's CPU a record as a multiple of the pass-through's."""
        return self.worked.cpu_per_million / self.passed.cpu_per_million


class Bench:
    """A filled ground with its reference, and rounds on it."""

    def __init__(self, settings: Settings, ground: Ground, wanted: Reference, folder: Path) -> None:
        self._settings = settings
        self._ground = ground
        self._wanted = wanted
        self._folder = folder
        (folder / "samples.bin").write_bytes(msgspec.msgpack.encode(wanted.samples))

    def round(self, number: int) -> Round:
        """One of each; odd rounds begin with the worker."""
        if number % 2:
            worked, faults = self._work(number)
            return Round(self._pass(number), worked, faults)
        passed = self._pass(number)
        return Round(passed, *self._work(number))

    def _pass(self, number: int) -> Reading:
        self._ground.renew()
        plan = Plan(
            self._settings.bootstrap,
            f"passthrough-{number}",
            self._ground.raw,
            self._wanted.records,
            self._wanted.outputs,
            str(self._folder / "samples.bin"),
            self._settings.commit_interval_ms,
        )
        return self._measure("benchmarks.passthrough", plan, {})

    def _work(self, number: int) -> tuple[Reading, list[str]]:
        self._ground.renew()
        given = {
            "GATEWAY_BOOTSTRAP": self._settings.bootstrap,
            "GATEWAY_REGISTRY_URL": self._settings.registry_url,
            "GATEWAY_PREFIX": self._settings.prefix,
            "GATEWAY_MAPPINGS": str(self._settings.mappings),
            "GATEWAY_GROUP": f"bench-{number}",
        }
        reading = self._measure("benchmarks.measured", WorkerPlan(self._wanted.records), given)
        return reading, self._ground.written().faults(self._wanted)

    def _measure(self, module: str, plan: object, given: dict[str, str]) -> Reading:
        path, log = self._folder / "plan.json", self._folder / f"{module}.log"
        path.write_bytes(msgspec.json.encode(plan))
        with log.open("w") as errors:
            done = subprocess.run(
                [sys.executable, "-m", module, str(path)],
                cwd=ROOT,
                env=os.environ | given,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        if done.returncode:
            raise SystemExit(f"{module} failed:\n{log.read_text()[-3000:]}")
        return Reading.read(done.stdout)


def prefix_of(records: Sequence[RawRecord], mappings: Sequence[CompiledMapping]) -> str:
    """The installation's prefix that a recording was made under; SystemExit if no mapping reads it."""
    for record in records:
        for name in (name for mapping in mappings for name in mapping.topics):
            if record.topic.endswith(name):
                return record.topic.removesuffix(name)
    raise SystemExit("no mapping reads any topic of this recording")


def verdict(rounds: Sequence[Round], wanted: Reference) -> dict[str, object]:
    """The last line: medians over the rounds. ``void`` says why a run does not count."""
    passed = statistics.median(one.passed.cpu_per_million for one in rounds)
    limit = 5 + 0.8 * wanted.headers_each
    void = []
    if passed > limit:
        void.append(f"the pass-through took {passed:.1f} CPU s per million, more than 5 + 0.8 x headers = {limit:.1f}")
    if len(rounds) < LEAST_ROUNDS:
        void.append(f"{len(rounds)} rounds, at least {LEAST_ROUNDS} count")
    faults = [fault for one in rounds for fault in one.faults]
    return {
        "passthrough_ratio": round(statistics.median(one.ratio for one in rounds), 4),
        "cpu_multiple": round(statistics.median(one.cpu_multiple for one in rounds), 2),
        "records_per_s": round(statistics.median(one.worked.rate for one in rounds)),
        "headers": round(wanted.headers_each, 2),
        "events_per_record": round(wanted.streams.events / wanted.records, 3),
        "interleaved_rounds": len(rounds),
        "records": wanted.records,
        "record_bytes": round(wanted.raw_bytes / wanted.records),
        "written_per_record": round(wanted.outputs / wanted.records, 3),
        "written_bytes": round(wanted.output_bytes / wanted.outputs),
        "passthrough_records_per_s": round(statistics.median(one.passed.rate for one in rounds)),
        "passthrough_cpu_s_per_million": round(passed, 2),
        "passthrough_cpu_limit": round(limit, 2),
        "cpu_s_per_million": round(statistics.median(one.worked.cpu_per_million for one in rounds), 1),
        "peak_mb": max(one.worked.peak_mb for one in rounds),
        "output_equal": not faults,
        "faults": faults[:5],
        "void": void,
    }


def tell(text: str) -> None:
    """Progress, for people: not on standard output, whose last line is for machines."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def tell_round(number: int, one: Round) -> None:
    """One line of figures."""
    tell(
        f"round {number + 1}: pass-through {one.passed.rate:,.0f}/s {one.passed.cpu_per_million:.1f} CPU s/M | "
        f"worker {one.worked.rate:,.0f}/s {one.worked.cpu_per_million:.1f} CPU s/M {one.worked.peak_mb:.0f} MB | "
        f"share {one.ratio:.3f}, CPU x{one.cpu_multiple:.1f} | {'; '.join(one.faults) or 'output equal'}"
    )


def arguments() -> argparse.Namespace:
    """What may be said on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--recording", type=Path, help="raw records to amplify; without it one is made and kept")
    parser.add_argument("--records", type=int, default=300_000, help="at least so many raw records")
    parser.add_argument("--rounds", type=int, default=LEAST_ROUNDS)
    parser.add_argument("--state", type=Path, default=ROOT / ".state" / "bench", help="folder of broker and registry")
    parser.add_argument("--keep", action="store_true", help="leave broker and registry running")
    return parser.parse_args()


def main() -> None:
    """Run it; exit status 1 if a worker's output was not the reference's."""
    given = arguments()
    mappings = load(ROOT / "mappings")
    recording = given.recording or make_recording(given.state.parent / "bench-recording.jsonl.gz", tell)
    records = list(read_recording(recording))
    amplifier = Amplifier(records, key_columns(mappings))
    copies = amplifier.copies(given.records)
    tell(f"{recording}: {len(records)} records, amplified {copies} times")
    stack = Stack(given.state)
    try:
        found = stack.up(only={"kafka", "registry"}, detached=given.keep)
        settings = Settings(
            bootstrap=found.bootstrap,
            registry_url=found.registry_url,
            prefix=prefix_of(records, mappings),
            mappings=ROOT / "mappings",
        )
        result = run(settings, mappings, amplifier, copies, given.rounds)
    finally:
        if not given.keep:
            stack.down(wipe=True)
    sys.stdout.write(json.dumps(result) + "\n")
    sys.exit(0 if result["output_equal"] else 1)


def run(
    settings: Settings, mappings: Sequence[CompiledMapping], amplifier: Amplifier, copies: int, rounds: int
) -> dict[str, object]:
    """Fill, compute the reference, run the rounds; the verdict."""
    ground = Ground(settings, mappings, 1 + max(place.partition for place in amplifier.partitions))
    ids = ground.push_contracts()
    count = ground.fill(amplifier, copies)
    tell(f"{count} raw records in {len(amplifier.partitions)} partitions; translating them offline")
    wanted = reference(amplifier, copies, mappings, ids, WireSettings(settings.prefix, settings.headers))
    tell(f"reference: {wanted.streams.events} events, {wanted.letters.total()} letters")
    with tempfile.TemporaryDirectory() as folder:
        bench, done = Bench(settings, ground, wanted, Path(folder)), list[Round]()
        for number in range(rounds):
            done.append(bench.round(number))
            tell_round(number, done[-1])
    return verdict(done, wanted)


if __name__ == "__main__":
    main()
