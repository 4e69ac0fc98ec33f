"""A recording to amplify: the legacy system at work, really captured, on a native stack of its own."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from gateway.adapters.files import RecordingHeader, write_recording
from gateway.adapters.kafka_cluster import KafkaCluster
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load
from gateway.services.recording import raw_records, spans
from gateway.settings import Settings
from gateway.stack import Stack
from gateway.wiring import wire_capture, wire_log
from legacy_db import create_schema, run, seed

__all__ = ["make_recording"]

ROOT = Path(__file__).parents[1]
CUSTOMERS, TRANSACTIONS, SEED = 2000, 3000, 1
QUIET = 3.0


def make_recording(path: Path, tell: Callable[[str], None]) -> Path:
    """The recording at ``path``, made if it is not there: the demo's seed, customers and transactions."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    mappings = load(ROOT / "mappings")
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder) / "stack")
        tell(f"no recording at {path}: starting the native stack to make one")
        try:
            found = stack.up(detached=False)
            settings = Settings(
                bootstrap=found.bootstrap,
                registry_url=found.registry_url,
                connect_url=found.connect_url,
                legacy_dsn=found.postgres_dsn,
                mappings=ROOT / "mappings",
                connect=ROOT / "connect",
            )
            _work(settings, mappings, Path(folder) / "truth.jsonl", tell)
            _copy(settings, mappings, path, tell)
        finally:
            stack.down(wipe=True)
    return path


def _work(settings: Settings, mappings: Sequence[CompiledMapping], truth: Path, tell: Callable[[str], None]) -> None:
    create_schema(settings.legacy_dsn)
    seed(settings.legacy_dsn, seed=SEED, customers=CUSTOMERS)
    capture = wire_capture(settings, mappings)
    capture.apply(capture.pending(settings, mappings))
    capture.wait_for_snapshot(timeout=120)
    tell(f"captured the snapshot; {TRANSACTIONS} legacy transactions follow")
    run(settings.legacy_dsn, seed=SEED, transactions=TRANSACTIONS, truth_path=truth)


def _copy(settings: Settings, mappings: Sequence[CompiledMapping], path: Path, tell: Callable[[str], None]) -> None:
    raw = [settings.topic(name) for mapping in mappings for name in mapping.topics]
    markers = f"{settings.topic(settings.topic_prefix)}.transaction"
    with (
        closing(KafkaCluster(settings.bootstrap, settings.kafka)) as cluster,
        closing(wire_log(settings, f"recording-{secrets.token_hex(4)}")) as reader,
    ):
        within, quiet_since = spans(cluster, [*raw, markers]), time.monotonic()
        while time.monotonic() - quiet_since < QUIET:
            time.sleep(0.5)
            now = spans(cluster, [*raw, markers])
            if now != within:
                within, quiet_since = now, time.monotonic()
        count = write_recording(path, raw_records(reader, within), RecordingHeader(note="made by the bench"))
    tell(f"{count} records in {path}")
