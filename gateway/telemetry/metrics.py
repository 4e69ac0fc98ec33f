"""Signals → Prometheus. Names follow the field: base units, ``_total``, ``_seconds``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gateway.telemetry import signals as s

__all__ = ["PrometheusTelemetry"]

_PLACE = ("topic", "partition")
_END_TO_END = (0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30, 60, 300, 1800)
_TRANSACTION = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30)


class PrometheusTelemetry:
    """Keeps one worker's metrics in ``registry``. Counters move when a Kafka transaction has been committed."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, labels, registry=registry)

        self._records = counter(
            "gateway_records", "raw records settled, by their one outcome", "topic", "outcome", "reason"
        )
        self._events = counter("gateway_events", "events published", "event", "version", "intent", "rule")
        self._letters = counter("gateway_dead_letters", "records written as dead letters", "topic", "class", "rule")
        self._units = counter("gateway_changed_units", "changed columns or rows, by what took them", "mapping", "by")
        self._unexplained = counter("gateway_unexplained_columns", "changes no rule took", "table", "op", "column")
        self._findings = counter("gateway_findings", "findings about the data", "kind", "finding", "mapping")
        self._restarts = counter("gateway_capture_restarted_in_transaction", "capture restarts seen", "topic")
        self._transactions = counter("gateway_transactions", "Kafka transactions by how they ended", "result")
        self._away = counter("gateway_dependency_outages", "times a dependency went away", "dependency")
        self._is_away = gauge("gateway_dependency_away", "1 while a dependency does not answer", "dependency")
        self._parked = gauge("gateway_parked_aggregates", "aggregates parked behind a dead letter", *_PLACE)
        self._lag = gauge("gateway_lag_records", "records below the high watermark that are not settled", *_PLACE)
        self._held = gauge("gateway_held_records", "records read that wait for the end of their transaction", *_PLACE)
        self._held_age = gauge("gateway_held_seconds", "age of the oldest record that waits", *_PLACE)
        self._stopped = gauge("gateway_partition_stopped", "1 while a partition stands still for a person", *_PLACE)
        self._paused = gauge("gateway_partition_paused", "1 while a command has paused a partition", *_PLACE)
        self._owned = gauge("gateway_partitions_owned", "partitions this worker works on")
        self._seconds = Histogram(
            "gateway_transaction_seconds", "age of a Kafka transaction at its commit", buckets=_TRANSACTION,
            registry=registry,
        )  # fmt: skip
        self._end_to_end = Histogram(
            "gateway_end_to_end_seconds", "legacy commit to Kafka commit, one figure a database transaction",
            buckets=_END_TO_END, registry=registry,
        )  # fmt: skip
        self._mine: set[tuple[str, int]] = set()
        self._take: dict[type[s.Signal], Callable[[Any], None]] = {
            s.RecordsSettled: self._settled,
            s.EventsPublished: self._published,
            s.LettersWritten: lambda one: self._letters.labels(one.topic, one.letter_class, one.rule).inc(one.count),
            s.UnitsAccounted: lambda one: self._units.labels(one.mapping, one.taken_by).inc(one.count),
            s.UnexplainedSeen: lambda one: self._unexplained.labels(one.table, one.op, one.column).inc(one.count),
            s.FindingSeen: lambda one: self._findings.labels(one.kind, one.finding, one.mapping).inc(one.count),
            s.CaptureRestarted: lambda one: self._restarts.labels(one.topic).inc(),
            s.TransactionEnded: self._ended,
            s.EndToEnd: self._delays,
            s.PartitionRunning: self._running,
            s.PartitionGivenUp: self._given_up,
            s.PartitionStopped: lambda one: self._stopped.labels(one.topic, one.partition).set(1),
            s.PartitionPaused: lambda one: self._paused.labels(one.topic, one.partition).set(1),
            s.PartitionResumed: lambda one: self._paused.labels(one.topic, one.partition).set(0),
            s.PartitionParked: lambda one: self._parked.labels(one.topic, one.partition).set(one.aggregates),
            s.PartitionLag: self._lagging,
            s.DependencyAway: self._went_away,
            s.DependencyBack: lambda one: self._is_away.labels(one.dependency).set(0),
        }

    def emit(self, signal: s.Signal) -> None:
        """See ``Telemetry``."""
        take = self._take.get(type(signal))
        if take is not None:
            take(signal)

    def _settled(self, one: s.RecordsSettled) -> None:
        self._records.labels(one.topic, one.outcome, one.reason).inc(one.count)

    def _published(self, one: s.EventsPublished) -> None:
        self._events.labels(one.event, one.version, one.intent, one.rule).inc(one.count)

    def _ended(self, one: s.TransactionEnded) -> None:
        self._transactions.labels(one.result).inc()
        if one.result == "committed":
            self._seconds.observe(one.seconds)

    def _delays(self, one: s.EndToEnd) -> None:
        for seconds in one.seconds:
            self._end_to_end.observe(seconds)

    def _running(self, one: s.PartitionRunning) -> None:
        self._mine.add((one.topic, one.partition))
        self._owned.set(len(self._mine))
        self._stopped.labels(one.topic, one.partition).set(0)
        self._paused.labels(one.topic, one.partition).set(0)
        self._parked.labels(one.topic, one.partition).set(one.parked)

    def _given_up(self, one: s.PartitionGivenUp) -> None:
        # Another worker reports these from now on: two workers' figures for one partition would add up wrongly.
        for gauge in (self._parked, self._lag, self._held, self._held_age, self._stopped, self._paused):
            with suppress(KeyError):
                gauge.remove(one.topic, one.partition)
        self._mine.discard((one.topic, one.partition))
        self._owned.set(len(self._mine))

    def _lagging(self, one: s.PartitionLag) -> None:
        self._lag.labels(one.topic, one.partition).set(one.records)
        self._held.labels(one.topic, one.partition).set(one.held)
        self._held_age.labels(one.topic, one.partition).set(one.held_seconds)

    def _went_away(self, one: s.DependencyAway) -> None:
        self._away.labels(one.dependency).inc()
        self._is_away.labels(one.dependency).set(1)
