"""Faults that only time brings: memory and file handles that grow."""

from __future__ import annotations

import time

import psutil

from .bench import Bench
from .registry import fault

WARM_UP = 300.0
"""Seconds until caches and pools have their size."""
MB = 1024 * 1024


@fault("A31", "an hour of load, in minutes: memory and file handles of the worker", chaos=0, full=60)
def soak(bench: Bench, strikes: int) -> None:
    gateway = bench.gateway(GATEWAY_COMMIT_INTERVAL_MS="100")
    bench.serving(gateway)
    worker = psutil.Process(next(iter(gateway.pids().values())))
    begun = time.monotonic()
    seen: list[tuple[float, float, int]] = []
    with bench.load(rows=60, pause=0.2):
        for minute in range(1, strikes + 1):
            time.sleep(max(0.0, begun + minute * 60 - time.monotonic()))
            seen.append((time.monotonic() - begun, worker.memory_info().rss / MB, worker.num_fds()))
            bench.strikes += 1
    bench.recover()
    warm = [one for one in seen if one[0] >= WARM_UP] or seen
    slope = _slope([(at / 3600, rss) for at, rss, _ in warm])
    handles = {fds for _, _, fds in warm}
    most = max(rss for _, rss, _ in seen)
    bench.notes.append(f"{slope:+.2f} MB an hour after warm-up, {most:.0f} MB at most, handles {sorted(handles)}")
    print(f"    {bench.notes[-1]}", flush=True)
    assert worker.is_running()
    if strikes >= 30:
        assert slope < 2.0, bench.notes[-1]
        assert len(handles) == 1, bench.notes[-1]


def _slope(points: list[tuple[float, float]]) -> float:
    """Least squares: MB an hour."""
    middle_x, middle_y = (sum(axis) / len(points) for axis in zip(*points, strict=True))
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread if spread else 0.0
