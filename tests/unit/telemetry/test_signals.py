"""Signals become metrics, log lines and totals."""

from __future__ import annotations

import io
import json

from prometheus_client import CollectorRegistry, generate_latest

from gateway.telemetry import signals as s
from gateway.telemetry.log import LogTelemetry, configure_logging
from gateway.telemetry.merge import merged
from gateway.telemetry.metrics import PrometheusTelemetry
from gateway.telemetry.totals import Fanout, Totals, TotalsTelemetry

PLACE = ("raw", 0)
ALL = (
    s.RecordsSettled("raw", "ignored", "noise", 3),
    s.RecordsSettled("raw", "published", "", 2),
    s.EventsPublished("Moved", 1, "fact", "moved", 2),
    s.LettersWritten("raw", "decode", "", 1),
    s.UnitsAccounted("customer", "event", 4),
    s.UnexplainedSeen("crm.cust", "update", "nm", 1),
    s.FindingSeen("a finding", 1),
    s.CaptureRestarted("raw", 0, 7),
    s.TransactionEnded("committed", 0.1, 5, 2),
    s.TransactionEnded("aborted", 0.2, reason="rebalance"),
    s.EndToEnd((0.07, 0.2)),
    s.PartitionRunning(*PLACE, 5, 1),
    s.PartitionParked(*PLACE, 2),
    s.PartitionLag(*PLACE, 10, 3, 1.5),
    s.DependencyAway("registry", "no answer"),
)


def page() -> str:
    registry = CollectorRegistry()
    telemetry = PrometheusTelemetry(registry)
    for signal in ALL:
        telemetry.emit(signal)
    return generate_latest(registry).decode()


def test_metrics_carry_what_happened_with_base_units_and_labels() -> None:
    text = page()
    for line in (
        'gateway_records_total{outcome="ignored",reason="noise",topic="raw"} 3.0',
        'gateway_events_total{event="Moved",intent="fact",rule="moved",version="1"} 2.0',
        'gateway_dead_letters_total{class="decode",rule="",topic="raw"} 1.0',
        'gateway_parked_aggregates{partition="0",topic="raw"} 2.0',
        'gateway_unexplained_columns_total{column="nm",op="update",table="crm.cust"} 1.0',
        'gateway_lag_records{partition="0",topic="raw"} 10.0',
        'gateway_transactions_total{result="aborted"} 1.0',
        "gateway_end_to_end_seconds_count 2.0",
        "gateway_transaction_seconds_count 1.0",
        'gateway_dependency_away{dependency="registry"} 1.0',
        "gateway_partitions_owned 1.0",
    ):
        assert line in text, line


def test_a_partition_given_up_is_no_longer_reported() -> None:
    registry = CollectorRegistry()
    telemetry = PrometheusTelemetry(registry)
    for signal in (*ALL, s.PartitionGivenUp(*PLACE, lost=False)):
        telemetry.emit(signal)
    text = generate_latest(registry).decode()
    assert "gateway_lag_records{" not in text
    assert "gateway_partitions_owned 0.0" in text


def test_several_workers_stand_on_one_page_each_with_its_label() -> None:
    text = merged({"1": page(), "2": page()}).decode()
    assert text.count("# TYPE gateway_records_total counter") + text.count("# TYPE gateway_records counter") == 1
    for worker in "12":
        assert f'gateway_records_total{{outcome="ignored",reason="noise",topic="raw",worker="{worker}"}} 3.0' in text
        assert f'gateway_end_to_end_seconds_count{{worker="{worker}"}} 2.0' in text


def test_the_log_is_one_json_object_a_line_and_leaves_counting_to_the_metrics() -> None:
    stream = io.StringIO()
    configure_logging(stream)
    log = LogTelemetry(worker=1)
    for signal in ALL:
        log.emit(signal)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert {line["event"] for line in lines} == {
        "letters written",
        "unexplained seen",
        "finding seen",
        "capture restarted",
        "transaction ended",
        "partition running",
        "dependency away",
    }
    assert all(line["worker"] == 1 and "timestamp" in line and "level" in line for line in lines)


def test_a_line_is_written_at_once_so_that_lines_of_other_processes_cannot_fall_into_it() -> None:
    stream = Writes()
    configure_logging(stream)
    LogTelemetry(worker=1).emit(ALL[-1])
    LogTelemetry(worker=2).emit(s.WorkerStopped("end"))
    assert stream.written and all(text.endswith("\n") and json.loads(text) for text in stream.written)


def test_a_drift_is_logged_once_with_its_remedy_and_counted_each_time() -> None:
    found = s.FindingSeen("missing column crm.cust.nm", 3, "missing column", "customer.yaml", "write its new name")
    stream, registry = io.StringIO(), CollectorRegistry()
    configure_logging(stream)
    both = Fanout((LogTelemetry(worker=1), PrometheusTelemetry(registry), totals := TotalsTelemetry()))
    both.emit(found)
    both.emit(found)
    [line] = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (line["finding"], line["mapping"], line["remedy"]) == (found.finding, "customer.yaml", "write its new name")
    labels = 'finding="missing column crm.cust.nm",kind="missing column",mapping="customer.yaml"'
    assert f"gateway_findings_total{{{labels}}} 6.0" in generate_latest(registry).decode()
    assert totals.totals.findings == {found.finding: 6}
    assert totals.totals.remedies == {found.finding: "write its new name"}


class Writes(io.StringIO):
    """Keeps each write apart."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def write(self, text: str) -> int:
        self.written.append(text)
        return super().write(text)


def test_totals_of_several_workers_add_up() -> None:
    first, second = TotalsTelemetry(), TotalsTelemetry()
    both = Fanout((first, second))
    for signal in ALL:
        both.emit(signal)
    total = Totals()
    total.add(first.totals)
    total.add(second.totals)
    assert total.records == {("ignored", "noise"): 6, ("published", ""): 4}
    assert total.events == {("Moved", 1, "fact"): 4}
    assert total.partitions == {PLACE: "running"}
    assert total.away == {"registry": "no answer"}
    assert len(total.delays) == 4
