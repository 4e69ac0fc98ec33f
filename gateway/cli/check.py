"""`gateway check`: legacy tables, mappings, contracts, what readers know: does each layer still fit the next?"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

import typer

from gateway.adapters.ddl import read_ddl
from gateway.adapters.sql_preflight import LegacyPreflight
from gateway.cli.check_report import shown
from gateway.cli.diff_sources import version_of
from gateway.cli.examples import examples
from gateway.cli.failing import failures_told
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError
from gateway.model.preflight import TableDetails
from gateway.services.capture_plan import capture_plan
from gateway.services.check import Break, Checked, House, Layer, Verdict, broken_mappings, house_of
from gateway.services.check_contracts import (
    Known,
    broken_contracts,
    known_before,
    known_exported,
    known_in_files,
    known_to_registry,
)
from gateway.services.check_tables import broken_tables
from gateway.services.schemas import Contract, contracts_of
from gateway.settings import Settings
from gateway.wiring import wire_registry

__all__ = ["app"]

app = typer.Typer(help="The gate before a merge: does each layer still fit the next?", add_completion=False)

_EXAMPLES = examples(
    "gateway check --ddl legacy.sql                        a legacy script against the mappings",
    "gateway check --ddl migrations --against origin/main  before a merge, without any server",
    "gateway check --live --registry -o github             against the live tables and the registry",
)


@app.command(epilog=_EXAMPLES)
def check(
    ddl: Annotated[
        list[Path] | None, typer.Option("--ddl", help="SQL script, or folder of scripts in the order of their names.")
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Look at the legacy database (legacy_dsn).")] = False,
    against: Annotated[
        str,
        typer.Option(
            "--against",
            help="Mappings as readers know them: a git revision, REVISION:FOLDER or folder; tells gone events.",
        ),
    ] = "",
    registered: Annotated[
        Path | None, typer.Option("--registered", help="Folder of schemas that the registry once gave.")
    ] = None,
    registry: Annotated[bool, typer.Option("--registry", help="Ask the registry what is registered.")] = False,
    output: Annotated[
        Literal["text", "json", "github"], typer.Option("-o", "--output", help="How it is told.")
    ] = "text",
) -> None:
    """Name what breaks: the place, the rules, the event fields, and who is known to read them.

    Legacy tables → mappings → contracts → versions that readers know. Exit status 1: a merge should wait; 2: it could
    not be tried; 3: database or registry is away.
    """
    with failures_told(), ExitStack() as opened:
        settings = Settings()
        house = house_of(settings.mappings)
        verdict = _Gate(settings, house, Path(opened.enter_context(TemporaryDirectory()))).verdict(
            _tables(settings, house, ddl or [], live=live), against, registered, registry=registry
        )
    shown(verdict, output)
    raise typer.Exit(1 if verdict.broken else 0)


def _tables(
    settings: Settings, house: House, scripts: list[Path], *, live: bool
) -> tuple[str, Mapping[str, TableDetails]] | None:
    """What the legacy tables are, and in which words that is told; None: nobody says."""
    if live and scripts:
        raise ConfigError("--ddl and --live exclude each other", where="--live", hint="check one after the other")
    if scripts:
        return ", ".join(map(str, scripts)), read_ddl(scripts)
    if not live:
        return None
    if not settings.legacy_dsn:
        raise ConfigError("no legacy database is set", where="legacy_dsn", hint="GATEWAY_LEGACY_DSN or gateway.yaml")
    names = sorted({name for file in house.files if file.mapping is not None for name in file.mapping.tables})
    database = LegacyPreflight(settings.legacy_dsn)
    return f"database {database.name}", database.details(names)


def _loaded(folder: Path, name: str) -> tuple[CompiledMapping, ...]:
    try:
        return load(folder)
    except ConfigError as error:
        what = f"{name} cannot be compared with, its own mappings have faults: {error.what}"
        raise ConfigError(what, faults=error.faults, where=name, hint=error.hint) from error


class _Gate:
    """Looks at layer after layer."""

    def __init__(self, settings: Settings, house: House, scratch: Path) -> None:
        self._settings, self._house, self._scratch = settings, house, scratch
        self._mappings = [file.mapping for file in house.files if file.mapping is not None]
        self._breaks: list[Break] = []
        self._checked: list[Checked] = []
        self._unseen: list[Checked] = []

    def verdict(
        self,
        tables: tuple[str, Mapping[str, TableDetails]] | None,
        against: str,
        registered: Path | None,
        *,
        registry: bool,
    ) -> Verdict:
        self._look_at_tables(tables)
        self._breaks += broken_mappings(self._house)
        rules = sum(len(mapping.rules) for mapping in self._mappings)
        self._checked.append(Checked(Layer.MAPPINGS, f"{len(self._mappings)} mappings with {rules} rules"))
        contracts = contracts_of(self._mappings, self._settings.topic, self._settings.mappings)
        known = self._known(contracts, against, registered, registry=registry)
        self._breaks += broken_contracts(self._house, contracts, known[0][1], [versions for _, versions in known[1:]])
        told = ", ".join(name for name, _ in known)
        self._checked.append(Checked(Layer.CONTRACTS, f"{len(contracts)} contracts against {told}"))
        if not (against or registered or registry):
            hint = "give --against REVISION, --registered FOLDER or --registry"
            self._unseen.append(Checked(Layer.CONTRACTS, f"what readers know by now: {hint}"))
        consumers = self._house.consumers
        if consumers.file:
            self._checked.append(Checked(Layer.CONSUMERS, f"{len(consumers.all)} consumers in {consumers.file}"))
        else:
            self._unseen.append(
                Checked(Layer.CONSUMERS, "who reads the events: write consumers.yaml beside the mappings")
            )
        return Verdict(tuple(self._breaks), tuple(self._checked), tuple(self._unseen))

    def _look_at_tables(self, tables: tuple[str, Mapping[str, TableDetails]] | None) -> None:
        if tables is None:
            self._unseen.append(Checked(Layer.TABLES, "the legacy tables: give --ddl FILE or --live"))
        elif self._mappings:
            told, found = tables
            plan = capture_plan(self._mappings, prefix="", topic_prefix="legacy", user="capture")
            self._breaks += broken_tables(self._house, plan, found)
            declared = sum(len(mapping.tables) for mapping in self._mappings)
            self._checked.append(Checked(Layer.TABLES, f"{declared} tables against {told}"))

    def _known(
        self, contracts: tuple[Contract, ...], against: str, registered: Path | None, *, registry: bool
    ) -> list[tuple[str, Known]]:
        found: list[tuple[str, Known]] = [("their earlier minor versions", known_in_files(contracts))]
        if against:
            folder = version_of(against, self._settings.mappings, self._scratch).folder
            before = contracts_of(_loaded(folder, against), self._settings.topic, folder)
            found.append((against, known_before(before, against)))
        if registered is not None:
            found.append((str(registered), known_exported(registered, contracts)))
        if registry:
            found.append(("the registry", known_to_registry(wire_registry(self._settings), contracts)))
        return found
