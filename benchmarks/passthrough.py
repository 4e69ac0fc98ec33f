"""The peer: consume many, produce as many records as the worker would, of the same sizes, with the same headers.

The same transaction interval, compression and partitioner as the worker's; no callback for each record. What it writes
is a sample of the reference's own output. Run as a process: ``python -m benchmarks.passthrough <plan.json>``.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import Consumer, Producer

from benchmarks.meter import Meter, Reading, tell

__all__ = ["Plan", "Sample"]

BATCH = 2000


class Sample(msgspec.Struct, array_like=True):
    """One record as the worker writes it."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]

    @property
    def size(self) -> int:
        """Bytes of key, value and headers."""
        own = len(self.key or b"") + len(self.value or b"")
        return own + sum(len(name) + len(value or b"") for name, value in self.headers)


class Plan(msgspec.Struct):
    """What to do: read ``records`` from ``raw`` and write ``outputs`` records like those in ``samples`` (a file)."""

    bootstrap: str
    group: str
    raw: list[str]
    records: int
    outputs: int
    samples: str
    commit_interval_ms: int


class PassThrough:
    """One run of it."""

    def __init__(self, plan: Plan, samples: Sequence[Sample]) -> None:
        self._plan = plan
        self._samples: Iterator[Sample] = cycle(samples)
        self._mean_size = sum(one.size for one in samples) / len(samples)
        self._producer = Producer(
            {
                "bootstrap.servers": plan.bootstrap,
                "transactional.id": plan.group,
                "partitioner": "murmur2_random",
                "compression.type": "lz4",
                "linger.ms": 20,
                "batch.size": 262144,
                "queue.buffering.max.messages": 500_000,
                "queue.buffering.max.kbytes": 262144,
                "message.max.bytes": 32 * 1024 * 1024,
            }
        )
        self._consumer = Consumer(
            {
                "bootstrap.servers": plan.bootstrap,
                "group.id": plan.group,
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "queued.min.messages": 100_000,
                "queued.max.messages.kbytes": 65536,
            }
        )
        self._written = self._commits = 0

    def run(self) -> Reading:
        """Until the last record is settled."""
        plan, meter, taken, since = self._plan, Meter(), 0, 0.0
        self._producer.init_transactions(30)
        self._consumer.subscribe(plan.raw)
        opened, interval = False, plan.commit_interval_ms / 1000
        while taken < plan.records:
            batch = self._consumer.consume(BATCH, 1 if not opened else 0.01)
            if batch:
                meter.start()
                if not opened:
                    self._producer.begin_transaction()
                    opened, since = True, time.monotonic()
                taken += self._take(batch)
                self._write(plan.outputs * taken // plan.records - self._written)
            if opened and (taken >= plan.records or time.monotonic() - since >= interval):
                self._commit()
                opened = False
        reading = meter.stop(taken, self._written, round(self._mean_size * self._written), self._commits)
        self._consumer.close()
        return reading

    def _take(self, batch: Sequence[Any]) -> int:
        for record in batch:
            if record.error() is not None:
                raise SystemExit(f"pass-through: {record.error()}")
        return len(batch)

    def _write(self, count: int) -> None:
        produce, samples = self._producer.produce, self._samples
        for _ in range(count):
            sample = next(samples)
            while True:
                try:
                    produce(sample.topic, sample.value, sample.key, headers=sample.headers)  # type: ignore[arg-type] # lists do not vary
                    break
                except BufferError:
                    self._producer.poll(0.05)
        self._written += count

    def _commit(self) -> None:
        places = self._consumer.position(self._consumer.assignment())
        places = [one for one in places if one.offset >= 0]
        self._producer.send_offsets_to_transaction(places, self._consumer.consumer_group_metadata(), 30)
        self._producer.commit_transaction(30)
        self._commits += 1


def main() -> None:
    plan = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Plan)
    samples = msgspec.msgpack.decode(Path(plan.samples).read_bytes(), type=list[Sample])
    gc.freeze()
    gc.disable()
    tell(PassThrough(plan, samples).run())


if __name__ == "__main__":
    main()
