"""What the workers count, read from their metrics page as a monitoring system would."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

__all__ = ["WorkerMetrics"]


class WorkerMetrics:
    """The metrics page of ``gateway run``, found in the first lines of its log."""

    def __init__(self, log: Path) -> None:
        self._log = log

    @property
    def address(self) -> str:
        """URL of the metrics page; '' while the workers have not told it."""
        return self._served("metrics")

    def health(self) -> str:
        """The health page."""
        return httpx.get(self._served("health"), timeout=10).text

    def _served(self, page: str) -> str:
        for line in self._log.read_text(errors="replace").splitlines():
            if '"serving"' in line:
                return str(json.loads(line)[page])
        return ""

    def read(self) -> dict[str, Counter[tuple[str, ...]]]:
        """Counters by metric name, each by its label values in the order of their names (without the worker's)."""
        text = httpx.get(self.address, timeout=10).raise_for_status().text
        found: dict[str, Counter[tuple[str, ...]]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = tuple(value for name, value in sorted(sample.labels.items()) if name != "worker")
                found.setdefault(sample.name, Counter())[labels] += sample.value  # type: ignore[assignment]
        return found
