"""Kafka Connect: can the worker, the connector's version and its configuration bring every change, once? Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.model.capture import ConnectorState
from gateway.model.preflight import ConnectWorkerFacts
from gateway.services.capture_plan import CapturePlan
from gateway.services.doctor_options import garbling, ill_chosen
from gateway.services.doctor_report import Area, AreaReport, Finding, Severity

__all__ = ["ConnectSide", "examine_connect"]

_CLASS = "io.debezium.connector.postgresql.PostgresConnector"
_APPLY = "gateway connect apply"
_SECRET = re.compile(r"password|secret|jaas|credential", re.IGNORECASE)
_ONCE = "exactly.once.support"


@dataclass(frozen=True, slots=True)
class _Loss:
    """A fault of some versions of Debezium: all before ``mended``, on servers from ``server`` on."""

    mended: tuple[int, ...]
    what: str
    server: int = 0


_LOSSES = (
    _Loss((3, 7, 0), "Connect killed inside a COPY or a large transaction loses rows of it (dbz#1554)"),
    _Loss((3, 7, 0), "after a restart inside a transaction its END tells wrong counts (dbz#633)"),
    _Loss((3, 7, 0), "changes may be lost on PostgreSQL 17 and newer (dbz#76)", server=170_000),
)
_MENDED = (3, 7, 0)


@dataclass(frozen=True, slots=True)
class ConnectSide:
    """What Connect says. ``wanted`` None: its configuration cannot be compared, ``uncompared`` says why.

    ``faults``: what Connect's own validation says, by option. ``server``: PostgreSQL's version, 0 unknown.
    """

    worker: ConnectWorkerFacts
    state: ConnectorState | None
    config: Mapping[str, str] | None
    wanted: Mapping[str, str] | None
    faults: Mapping[str, Sequence[str]]
    server: int = 0
    uncompared: str = ""


def examine_connect(plan: CapturePlan, side: ConnectSide) -> AreaReport:
    """Every finding about worker, plugin and connector."""
    findings = (
        *_worker(side),
        *_plugin(side),
        *_state(plan, side.state),
        *_validated(plan, side),
        *_drift(plan, side),
        *_chosen(plan, side),
    )
    return AreaReport(Area.CONNECT, findings, tuple(_fine(plan, side, findings)))


def _worker(side: ConnectSide) -> Iterator[Finding]:
    if _number(side.worker.version) < (3, 3):
        reason = (
            f"version {side.worker.version} knows no exactly-once source connectors: changes may come twice or torn"
        )
        yield Finding(Severity.ERROR, "Connect worker", reason, "upgrade Kafka Connect to 4.x")
    if side.faults.get(_ONCE):
        reason = f"it does not give exactly-once support to source connectors: {side.faults[_ONCE][0]}"
        remedy = (
            "exactly.once.source.support=enabled in the worker's properties (first `preparing` on all), then restart"
        )
        yield Finding(Severity.ERROR, "Connect worker", reason, remedy)


def _plugin(side: ConnectSide) -> Iterator[Finding]:
    version = side.worker.plugins.get(_CLASS)
    where = f"plugin {_CLASS.rpartition('.')[2]}"
    if version is None:
        remedy = "put the plugin of connect/jars.yaml into the worker's plugin.path and restart it"
        yield Finding(Severity.ERROR, where, "Connect has no such plugin", remedy)
        return
    found = [loss for loss in _LOSSES if _number(version) < loss.mended and side.server >= loss.server]
    if found:
        told = "; ".join(loss.what for loss in found)
        remedy = (
            f"replace the plugin by {'.'.join(map(str, _MENDED))}.Final (connect/jars.yaml has coordinate and checksum)"
        )
        yield Finding(Severity.ERROR, where, f"version {version} has known losses: {told}", remedy)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]+", version.partition("-")[0])[:3])


def _state(plan: CapturePlan, state: ConnectorState | None) -> Iterator[Finding]:
    where = f"connector {plan.connector}"
    if state is None:
        yield Finding(Severity.ERROR, where, "it does not exist: nothing is captured", _APPLY)
    elif not state.running:
        cause = state.trace.partition("\n")[0]
        reason = (
            f"connector {state.connector}, task {state.task}: changes wait in the slot{': ' if cause else ''}{cause}"
        )
        severity = Severity.ERROR if "FAILED" in (state.connector, state.task) else Severity.WARNING
        resumed = "gateway connect restart"
        if state.connector in ("PAUSED", "STOPPED"):
            resumed = f"curl -X PUT <Connect>/connectors/{plan.connector}/resume"
        yield Finding(severity, where, reason, f"gateway connect status; {resumed}")


def _validated(plan: CapturePlan, side: ConnectSide) -> Iterator[Finding]:
    for option, said in side.faults.items():
        if option != _ONCE:
            reason = f"Connect would refuse the configuration that apply makes: {option}: {'; '.join(said)}"
            remedy = "connect/settings.yaml, the capture role (gateway connect sql), then gateway connect apply"
            yield Finding(Severity.ERROR, f"connector {plan.connector}", reason, remedy)


def _drift(plan: CapturePlan, side: ConnectSide) -> Iterator[Finding]:
    if side.uncompared:
        reason = f"its configuration was not compared: {side.uncompared}"
        remedy = "set what is missing, then run this again"
        yield Finding(Severity.WARNING, f"connector {plan.connector}", reason, remedy)
    if side.config is None or side.wanted is None:
        return
    for option in sorted(side.config.keys() | side.wanted.keys()):
        now, then = side.config.get(option, "(not set)"), side.wanted.get(option, "(not set)")
        if now != then:
            severity = Severity.ERROR if garbling(option) else Severity.WARNING
            told = "differs" if _SECRET.search(option) else f"is {now!r}, and would be {then!r}"
            reason = f"{option} {told}: someone changed the connector, or the mappings since it was made"
            yield Finding(severity, f"connector {plan.connector}", reason, f"{_APPLY} --dry-run shows all; {_APPLY}")


def _chosen(plan: CapturePlan, side: ConnectSide) -> Iterator[Finding]:
    """Options as they would be: what differs today is drift, and said already."""
    effective = side.wanted if side.wanted is not None else side.config
    if effective is not None:
        yield from ill_chosen(f"connector {plan.connector}", effective)


def _fine(plan: CapturePlan, side: ConnectSide, findings: Sequence[Finding]) -> Iterator[str]:
    bad = {one.object for one in findings}
    if "Connect worker" not in bad:
        checked = "" if side.wanted is None else ", exactly-once source support enabled"
        yield f"worker {side.worker.version}{checked}"
    if f"plugin {_CLASS.rpartition('.')[2]}" not in bad:
        yield f"Debezium {side.worker.plugins[_CLASS]}: no losses are known"
    if f"connector {plan.connector}" not in bad:
        yield f"connector {plan.connector} and its task run, configured as `{_APPLY}` would"
