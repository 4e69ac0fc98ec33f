"""ops/: every query of the dashboard and the alert rules, parsed, and run by a real Prometheus over real metrics."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest

from gateway.adapters.pages import Page, serve_pages
from gateway.telemetry import signals as s
from gateway.telemetry.merge import merged
from gateway.telemetry.metrics import PrometheusTelemetry
from tests.prometheus_server import Prometheus, prometheus_binary, running_prometheus

OPS = Path(__file__).parents[2] / "ops"
DASHBOARD: dict[str, Any] = json.loads((OPS / "grafana" / "gateway.json").read_text())
RULES: dict[str, Any] = yaml.safe_load((OPS / "prometheus" / "alerts.yaml").read_text())
SCRAPES: dict[str, Any] = yaml.safe_load((OPS / "prometheus" / "prometheus.yml").read_text())
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]}
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
TOPIC = "legacy.customer.raw"


def as_grafana_would_ask(expression: str) -> str:
    """The query after Grafana's own variables were put in."""
    return expression.replace("$__rate_interval", "1m")


QUERIES = {
    **{
        f"{panel['title']}/{target['refId']}": as_grafana_would_ask(target["expr"])
        for panel in PANELS
        for target in panel["targets"]
    },
    **{f"alert {name}": rule["expr"] for name, rule in ALERTS.items()},
}


@dataclass
class Served:
    """A worker's metrics over HTTP, the signals that move them, and a Prometheus that scrapes them."""

    telemetry: PrometheusTelemetry
    prometheus: Prometheus

    def settle(self) -> None:
        """Let Prometheus see what was signalled so far, twice."""
        seen = self.scrapes()
        self.prometheus.wait("two more scrapes", lambda: self.scrapes() >= seen + 2)

    def hears(self, topic: str, *alerts: str) -> None:
        """Wait until exactly these alerts fire for a raw topic."""
        wanted = dict.fromkeys(alerts, "firing")
        self.prometheus.wait(
            f"firing for {topic}: {alerts or 'nothing'}", lambda: self.prometheus.alerts(topic) == wanted
        )

    def scrapes(self) -> float:
        told = self.prometheus.query('count_over_time(up{job="gateway"}[10m])')
        return float(told[0]["value"][1]) if told else 0


def serve(folder: Path) -> Iterator[Served]:
    registry = CollectorRegistry()
    telemetry = PrometheusTelemetry(registry)

    def metrics() -> Page:
        return Page(200, "text/plain; version=0.0.4; charset=utf-8", merged({"0": generate_latest(registry).decode()}))

    server = serve_pages("127.0.0.1", 0, {"/metrics": metrics})  # as `gateway run` serves its workers' metrics
    fast = json.loads(json.dumps(RULES))
    for group in fast["groups"]:
        for rule in group["rules"]:
            rule.pop("for", None)  # its length is tested by promtool below
    (folder / "alerts.yaml").write_text(yaml.safe_dump(fast))
    targets = [f"127.0.0.1:{server.server_port}"]
    configuration = {
        "global": {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "200ms"},
        "rule_files": ["alerts.yaml"],
        "scrape_configs": [{"job_name": "gateway", "static_configs": [{"targets": targets}]}],
    }
    try:
        with running_prometheus(folder, configuration) as prometheus:
            yield Served(telemetry, prometheus)
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A worker to which everything happened that its telemetry can tell."""
    for served in serve(tmp_path_factory.mktemp("busy")):
        for _ in range(3):
            everything_happens(served.telemetry)
            served.settle()
        yield served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A worker to which nothing happened yet; each test plays on a raw topic of its own."""
    yield from serve(tmp_path_factory.mktemp("served"))


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    return f"legacy.{request.node.name}.raw"


def work_goes_well(telemetry: PrometheusTelemetry, topic: str = TOPIC, lag: int = 0) -> None:
    for signal in (
        s.RecordsSettled(topic, "published", "", 700),
        s.RecordsSettled(topic, "ignored", "noise", 300),
        s.EventsPublished("CustomerAddressChanged", 1, "fact", "address-moved", 700),
        s.UnitsAccounted("customer", "event", 1400),
        s.TransactionEnded("committed", 0.09, 1000, 700),
        s.EndToEnd((0.2, 0.3)),
        s.PartitionLag(topic, 0, lag, lag, 0.0),
    ):
        telemetry.emit(signal)


def everything_happens(telemetry: PrometheusTelemetry) -> None:
    telemetry.emit(s.PartitionRunning(TOPIC, 0, 0, 0))
    telemetry.emit(s.PartitionRunning(TOPIC, 1, 0, 2))
    work_goes_well(telemetry, lag=100)
    for signal in (
        s.RecordsSettled(TOPIC, "dead_lettered", "rule", 1),
        s.RecordsSettled(TOPIC, "parked", "order-blocked", 2),
        s.LettersWritten(TOPIC, "rule", "address-moved", 1),
        s.LettersWritten(TOPIC, "order-blocked", "", 2),
        s.UnitsAccounted("customer", "unexplained", 3),
        s.UnexplainedSeen("crm.cust", "update", "nm", 3),
        s.FindingSeen("undeclared: crm.cust.new_col", 1),
        s.CaptureRestarted(TOPIC, 0, 4711),
        s.TransactionEnded("aborted", 0.5, reason="rebalance"),
        s.PartitionParked(TOPIC, 1, 3),
        s.PartitionStopped(TOPIC, 1, "source regressed"),
        s.DependencyAway("registry", "connection refused"),
    ):
        telemetry.emit(signal)


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_parses(name: str):
    promql_parser.parse(QUERIES[name])


@pytest.mark.parametrize("name", [name for name in QUERIES if not name.startswith("alert ")])
def test_every_query_of_the_dashboard_gives_figures(busy: Served, name: str):
    """Real Prometheus, real metrics: at least one sample, and at least one that is a number."""
    found = busy.prometheus.query(QUERIES[name])
    assert found, f"{QUERIES[name]} gives nothing"
    assert any(one["value"][1] not in ("NaN", "+Inf", "-Inf") for one in found), found


def test_the_annotations_of_the_dashboard_are_a_query_too(busy: Served):
    for annotation in DASHBOARD["annotations"]["list"]:
        promql_parser.parse(annotation["expr"])
        busy.prometheus.wait("alerts show in the dashboard", lambda: bool(busy.prometheus.query(annotation["expr"])))  # noqa: B023


@pytest.mark.parametrize("name", [name for name in ALERTS if name != "GatewayFallsBehind"])
def test_every_alert_of_a_bad_day_gives_figures(busy: Served, name: str):
    assert busy.prometheus.query(ALERTS[name]["expr"])


def test_every_metric_of_a_worker_is_on_the_dashboard():
    """Nothing is counted that nobody can see."""
    registry = CollectorRegistry()
    PrometheusTelemetry(registry)
    shown = " ".join(QUERIES.values())
    hidden = [family.name for family in registry.collect() if family.name not in shown]
    assert hidden == []


def test_alerts_are_silent_on_a_good_day(served: Served, topic: str):
    served.telemetry.emit(s.PartitionRunning(topic, 0, 0, 0))
    for _ in range(3):
        work_goes_well(served.telemetry, topic, lag=50)
        served.settle()
    assert served.prometheus.alerts(topic) == {}


def test_a_first_dead_letter_is_heard(served: Served, topic: str):
    """A counter that appears with its first count is no increase to Prometheus: the rule must see it all the same."""
    served.telemetry.emit(s.PartitionRunning(topic, 0, 0, 0))
    served.settle()
    served.telemetry.emit(s.LettersWritten(topic, "decode", "", 1))
    served.hears(topic, "GatewayCannotTranslate")


def test_parked_aggregates_are_heard_until_they_are_gone(served: Served, topic: str):
    served.telemetry.emit(s.PartitionRunning(topic, 0, 0, 1))
    served.hears(topic, "GatewayCannotTranslate")
    served.telemetry.emit(s.PartitionParked(topic, 0, 0))
    served.hears(topic)


def test_a_stopped_partition_is_heard_until_it_runs_again(served: Served, topic: str):
    served.telemetry.emit(s.PartitionRunning(topic, 0, 0, 0))
    served.telemetry.emit(s.PartitionStopped(topic, 0, "source regressed"))
    served.hears(topic, "GatewayNeedsAPerson")
    served.telemetry.emit(s.PartitionRunning(topic, 0, 0, 0))
    served.hears(topic)


def test_rows_lost_by_capture_are_heard(served: Served, topic: str):
    served.telemetry.emit(s.CaptureRestarted(topic, 0, 4711))
    served.hears(topic, "GatewayNeedsAPerson")


def test_a_backlog_that_nobody_works_off_is_heard(served: Served, topic: str):
    served.telemetry.emit(s.PartitionRunning(topic, 0, 0, 0))
    served.telemetry.emit(s.PartitionLag(topic, 0, 10_000, 0, 0.0))
    served.hears(topic, "GatewayFallsBehind")
    served.telemetry.emit(s.PartitionLag(topic, 0, 0, 0, 0.0))
    served.hears(topic)


def test_rules_and_their_waiting_times_hold_by_promtool(tmp_path: Path):
    """promtool's own unit tests of the rules: a short backlog is no alert, a lasting one is after two minutes."""
    (tmp_path / "alerts.yaml").write_text((OPS / "prometheus" / "alerts.yaml").read_text())
    lasting = {
        "interval": "15s",
        "input_series": [{"series": f'gateway_lag_records{{topic="{TOPIC}",partition="0"}}', "values": "900x40"}],
        "alert_rule_test": [
            {"eval_time": "1m", "alertname": "GatewayFallsBehind", "exp_alerts": []},
            {
                "eval_time": "3m",
                "alertname": "GatewayFallsBehind",
                "exp_alerts": [{"exp_labels": {"topic": TOPIC, "severity": "warning"}}],
            },
        ],
    }
    for rule in lasting["alert_rule_test"]:  # type: ignore[attr-defined]
        for alert in rule["exp_alerts"]:
            alert["exp_annotations"] = {
                "summary": f"{TOPIC}: the backlog needs +Inf at the present pace",
                "description": ALERTS["GatewayFallsBehind"]["annotations"]["description"],
            }
    short = {
        **lasting,
        "input_series": [{**lasting["input_series"][0], "values": "900x4 0x40"}],  # type: ignore[index]
        "alert_rule_test": [{"eval_time": "3m", "alertname": "GatewayFallsBehind", "exp_alerts": []}],
    }
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump({"rule_files": ["alerts.yaml"], "tests": [lasting, short]}))
    done = subprocess.run(
        [str(prometheus_binary("promtool")), "test", "rules", "tests.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_says_what_to_do():
    assert len(ALERTS) == 3
    for rule in ALERTS.values():
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"]


def test_the_dashboard_is_whole():
    """Each panel says what it shows, in which unit, on the chosen data source, and no two overlap."""
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    for panel in PANELS:
        assert panel["title"]
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}


def test_the_scrape_configuration_loads_with_its_rules():
    """promtool reads the very files that the Compose stack mounts."""
    done = subprocess.run(
        [str(prometheus_binary("promtool")), "check", "config", "prometheus.yml"],
        cwd=OPS / "prometheus",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 rules found" in done.stdout


def test_grafana_is_given_the_data_source_and_the_dashboard():
    sources = yaml.safe_load((OPS / "grafana/provisioning/datasources/prometheus.yaml").read_text())["datasources"]
    assert [one["uid"] for one in sources] == [DASHBOARD["templating"]["list"][0]["current"]["value"]]
    providers = yaml.safe_load((OPS / "grafana/provisioning/dashboards/gateway.yaml").read_text())["providers"]
    assert [one["options"]["path"] for one in providers] == ["/etc/grafana/dashboards"]
    assert re.fullmatch(r"[a-z]+", DASHBOARD["uid"])
