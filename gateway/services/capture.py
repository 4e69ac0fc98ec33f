"""Capture as a whole: what differs, applying it, how it is, waiting for the snapshot, taking it away."""

from __future__ import annotations

import difflib
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.mapping.compiled import CompiledMapping
from gateway.model.capture import ConnectorState, PublicationFacts, RoleFacts, SlotFacts, TableFacts, TopicSpec
from gateway.model.errors import ConfigError, DependencyError
from gateway.services.capture_database import DatabaseFacts, check_tables, granted, superfluous, wanted
from gateway.services.capture_plan import CapturePlan
from gateway.services.capture_render import DatabaseAddress, connector_config, database_script
from gateway.services.capture_settings import CaptureSettings
from gateway.services.topics import Installation, TopicAdmin, TopicPlan, plan_topics, topic_specs

__all__ = ["Capture", "CaptureDatabase", "CaptureStatus", "Change", "ConnectCluster", "Pending"]

_PASSWORD = "database.password"  # noqa: S105 - an option's name
_SECRET = re.compile(r"password|secret|jaas|credential", re.IGNORECASE)


class ConnectCluster(Protocol):
    """Kafka Connect. DependencyError: away or busy; ConfigError: it refuses."""

    def config(self, name: str) -> Mapping[str, str] | None:
        """The connector's configuration as Connect holds it; None: there is no such connector."""
        ...

    def configure(self, name: str, config: Mapping[str, str]) -> None:
        """Create the connector, or replace its configuration as a whole."""
        ...

    def state(self, name: str) -> ConnectorState | None:
        """How connector and task are; None: there is no such connector."""
        ...

    def restart(self, name: str) -> bool:
        """Restart connector and task; False: there is no such connector."""
        ...

    def stop(self, name: str) -> None:
        """Stop its task and keep its offsets: what deleting and forgetting need first."""
        ...

    def delete(self, name: str) -> bool:
        """Delete the connector; its offsets stay. False: there was none."""
        ...

    def offset(self, name: str) -> Mapping[str, object] | None:
        """The source offset it committed last; None: none yet."""
        ...

    def forget_offsets(self, name: str) -> None:
        """Forget the offsets of a stopped connector: its next start takes a snapshot."""
        ...


class CaptureDatabase(Protocol):
    """The legacy database as its administrator sees it. DependencyError: away; ConfigError: it refuses."""

    @property
    def host(self) -> str:
        """Host name or address of the server."""
        ...

    @property
    def port(self) -> int:
        """TCP port of the server."""
        ...

    @property
    def name(self) -> str:
        """Name of the database."""
        ...

    def tables(self, names: Sequence[str]) -> Mapping[str, TableFacts]:
        """Columns, keys and replica identity of those of the tables (`schema.table`) that exist."""
        ...

    def role(self, name: str) -> RoleFacts | None:
        """The role's attributes and rights; None: it does not exist."""
        ...

    def publication(self, name: str) -> PublicationFacts | None:
        """The publication and its tables; None: it does not exist."""
        ...

    def slot(self, name: str) -> SlotFacts | None:
        """The replication slot; None: it does not exist."""
        ...

    def wal_level(self) -> str:
        """The server's `wal_level`; capture needs `logical`."""
        ...

    def run(self, script: str) -> None:
        """Run a script of several statements in one transaction: all of it or nothing."""
        ...

    def drop_slot(self, name: str) -> bool:
        """Drop a replication slot that nobody streams from; False: there is none such."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """What one part (database, topics, connector) is and what it should be, as lines; secrets masked."""

    part: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    def diff(self) -> Iterator[str]:
        """A unified diff, empty if nothing differs."""
        return difflib.unified_diff(
            self.before, self.after, f"{self.part} now", f"{self.part} wanted", lineterm="", n=1
        )


@dataclass(frozen=True, slots=True)
class Pending:
    """All that `apply` would do: the changes to show, and what it takes to do them ('' / None: nothing)."""

    changes: tuple[Change, ...]
    script: str
    topics: TopicPlan
    config: Mapping[str, str] | None
    specs: tuple[TopicSpec, ...]

    @property
    def empty(self) -> bool:
        """Whether everything is as it should be."""
        return not self.changes


@dataclass(frozen=True, slots=True)
class CaptureStatus:
    """How capture is. ``snapshot`` tells whether the initial snapshot still runs (None: not known yet)."""

    connector: ConnectorState | None
    slot: SlotFacts | None
    snapshot: bool | None

    @property
    def streaming(self) -> bool:
        """Whether the connector runs, is done with the snapshot and streams (asked of the server where it can be)."""
        streams = self.slot is None or self.slot.streaming
        return self.connector is not None and self.connector.running and self.snapshot is False and streams


class Capture:
    """One installation's capture. ``database`` None: no administrator's DSN, so the database is left alone."""

    def __init__(
        self,
        plan: CapturePlan,
        settings: CaptureSettings,
        folder: Path,
        connect: ConnectCluster,
        topics: TopicAdmin,
        database: CaptureDatabase | None,
    ) -> None:
        self.plan, self.settings, self.folder = plan, settings, folder
        self._connect, self._topics, self._database = connect, topics, database

    def pending(self, installation: Installation, mappings: Sequence[CompiledMapping]) -> Pending:
        """Compare everything with what it should be; changes nothing.

        ConfigError: tables that cannot be captured, wrong partition counts, no way to reach the database.
        """
        current = self._connect.config(self.plan.connector)
        address = self._address(current)
        config = connector_config(self.folder, self.plan, self.settings, address)
        specs = topic_specs(installation, mappings, self.settings.topics)
        topics = plan_topics(self._topics, specs)
        database, script = self._database_change(
            address, changed_password=(current or {}).get(_PASSWORD) != address.password
        )
        changes = [database, _topics_change(topics), _connector_change(current, config)]
        return Pending(
            changes=tuple(one for one in changes if one.before != one.after),
            script=script,
            topics=topics,
            config=None if current == config else config,
            specs=specs,
        )

    def apply(self, pending: Pending) -> None:
        """Do it: the database first, then topics, then the connector, so that each finds what it needs."""
        if pending.script and self._database is not None:
            self._database.run(pending.script)
        self._topics.create(pending.topics.missing)
        self._topics.alter(pending.topics.different)
        if pending.config is not None:
            self._connect.configure(self.plan.connector, pending.config)

    def configs(self) -> tuple[Mapping[str, str] | None, Mapping[str, str]]:
        """The connector's configuration as Connect holds it (None: no connector), and as `apply` would make it.

        ConfigError: nobody says how Connect reaches the database.
        """
        current = self._connect.config(self.plan.connector)
        return current, connector_config(self.folder, self.plan, self.settings, self._address(current))

    def script(self) -> str:
        """The administrator's SQL, to be run by hand; the password is his to set where none is configured.

        ConfigError: neither settings nor database name the database.
        """
        name = self.settings.database.name or (self._database.name if self._database else "")
        if not name:
            raise ConfigError("which database?", where="legacy_dsn", hint="set legacy_dsn or database.name")
        password = self.settings.database.password.get_secret_value()
        return database_script(self.folder, self.plan, database=name, password=_ours(password))

    def status(self) -> CaptureStatus:
        """How connector, slot and snapshot are."""
        state = self._connect.state(self.plan.connector)
        offset = self._connect.offset(self.plan.connector) if state else None
        slot = self._database.slot(self.plan.slot) if self._database else None
        snapshot = None if offset is None else bool(offset.get("snapshot"))
        return CaptureStatus(state, slot, snapshot)

    def wait_for_snapshot(
        self, timeout: float = 120.0, progress: Callable[[CaptureStatus], None] = lambda _status: None
    ) -> CaptureStatus:
        """Wait until the initial snapshot is in the raw topics and streaming has begun; returns the last status.

        The connector's committed offset tells: it moves in one Kafka transaction with the records. ConfigError: the
        connector failed or is not there; DependencyError: not within ``timeout`` seconds.
        """
        end, missing_until = time.monotonic() + timeout, time.monotonic() + 10.0
        while time.monotonic() < end:
            status = self.status()
            progress(status)
            if status.streaming:
                return status
            if status.connector and "FAILED" in (status.connector.connector, status.connector.task):
                told = status.connector.trace.partition("\n")[0]
                hint = "`gateway connect status` shows the trace"
                raise ConfigError(f"the connector failed: {told}", where=self.plan.connector, hint=hint)
            if status.connector is None and time.monotonic() > missing_until:
                raise ConfigError("there is no such connector", where=self.plan.connector, hint="gateway connect apply")
            time.sleep(0.25)
        raise DependencyError(f"the snapshot is not done after {timeout:g} s", where=self.plan.connector)

    def restart(self) -> bool:
        """Restart connector and task; False if there is none."""
        return self._connect.restart(self.plan.connector)

    def delete(self, forget: bool = False) -> bool:
        """Delete the connector; its slot keeps WAL on the server until `apply` or ``forget``.

        ``forget``: offsets and slot go, too, and the next `apply` snapshots again. False if there was none.
        """
        if forget and self._connect.state(self.plan.connector):
            self._connect.stop(self.plan.connector)
            self._await(lambda state: state is None or (state.connector == "STOPPED" and state.task == "UNASSIGNED"))
            self._connect.forget_offsets(self.plan.connector)
        found = self._connect.delete(self.plan.connector)
        self._await(lambda state: state is None)
        if forget and self._database is not None:
            self._await_slot_gone(self._database)
        return found

    def _await(self, reached: Callable[[ConnectorState | None], bool], timeout: float = 30.0) -> None:
        """Connect answers before it has done what it was told."""
        end = time.monotonic() + timeout
        while not reached(self._connect.state(self.plan.connector)):
            if time.monotonic() > end:
                raise DependencyError(f"the connector does not stop within {timeout:g} s", where=self.plan.connector)
            time.sleep(0.1)

    def _await_slot_gone(self, database: CaptureDatabase, timeout: float = 30.0) -> None:
        end = time.monotonic() + timeout
        while database.slot(self.plan.slot) is not None:
            if database.drop_slot(self.plan.slot):
                return
            if time.monotonic() > end:
                raise DependencyError(f"the slot is still in use after {timeout:g} s", where=self.plan.slot)
            time.sleep(0.2)

    def _address(self, current: Mapping[str, str] | None) -> DatabaseAddress:
        """Settings first, then the administrator's DSN; a password that is not set is kept, or made up once."""
        given, known = self.settings.database, self._database
        host, name = given.host or (known.host if known else ""), given.name or (known.name if known else "")
        if not host or host.startswith("/") or not name:
            hint = "set database.host and database.name in connect/settings.yaml, or a legacy_dsn over TCP"
            raise ConfigError("how does Kafka Connect reach the legacy database?", where="legacy_dsn", hint=hint)
        password = given.password.get_secret_value() or (current or {}).get(_PASSWORD, "")
        if not password and known is None:
            hint = "set GATEWAY_CAPTURE_PASSWORD to the capture role's password"
            raise ConfigError("the capture role has no password", where="connect/settings.yaml", hint=hint)
        port = given.port or (known.port if known else 5432)
        return DatabaseAddress(host, port, name, password or secrets.token_urlsafe(24))

    def _database_change(self, address: DatabaseAddress, changed_password: bool) -> tuple[Change, str]:
        if self._database is None:
            return Change("database", (), ()), ""
        facts = DatabaseFacts(
            tables=self._database.tables([table.name for table in self.plan.tables]),
            role=self._database.role(self.plan.role),
            publication=self._database.publication(self.plan.publication),
            wal_level=self._database.wal_level(),
        )
        check_tables(self.plan, facts)
        now, then = granted(self.plan, facts), wanted(self.plan)
        ours = _ours(address.password)
        if changed_password and ours:
            then = [*then, f"role {self.plan.role}: a new password"]
        script = database_script(
            self.folder, self.plan, database=self._database.name, password=ours, revoked=superfluous(self.plan, facts)
        )
        return Change("database", tuple(now), tuple(then)), script if now != then else ""


def _ours(password: str) -> str:
    """The password to give the role; '' where only Connect's config providers know it."""
    return "" if password.startswith("${") else password


def _topics_change(plan: TopicPlan) -> Change:
    before = [
        line
        for one in plan.different
        for line in _topic_lines(one.name, plan.now[one.name].partitions, plan.now[one.name].config)
    ]
    after = [
        line for one in (*plan.different, *plan.missing) for line in _topic_lines(one.name, one.partitions, one.config)
    ]
    return Change("topics", tuple(before), tuple(after))


def _topic_lines(name: str, partitions: int, config: Mapping[str, str]) -> list[str]:
    return [f"{name}: {partitions} partitions", *(f"{name}: {key}={value}" for key, value in sorted(config.items()))]


def _connector_change(current: Mapping[str, str] | None, config: Mapping[str, str]) -> Change:
    before = _config_lines(current or {}, "(as it is)")
    same = (current or {}).get(_PASSWORD) == config.get(_PASSWORD)
    return Change("connector", before, _config_lines(config, "(as it is)" if same else "(another)"))


def _config_lines(config: Mapping[str, str], secret: str) -> tuple[str, ...]:
    return tuple(f"{key}: {secret if _SECRET.search(key) else value}" for key, value in sorted(config.items()))
