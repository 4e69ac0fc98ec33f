"""Live tables become a mapping that loads, lints and passes; a context table is one that the database takes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from gateway.cli.lint import app as lint
from gateway.cli.scaffold import app
from gateway.cli.test import app as cases_app
from gateway.mapping.loader import load
from gateway.stack import Stack

pytestmark = pytest.mark.stack
_TABLES = """
CREATE SCHEMA vet;
CREATE TABLE vet.own (clin_no int NOT NULL, own_no int NOT NULL, nm char(40) NOT NULL, tel varchar(20),
  dlt_kz char(1) NOT NULL DEFAULT ' ', anl_dat int NOT NULL, PRIMARY KEY (clin_no, own_no));
COMMENT ON TABLE vet.own IS 'Owners, by clinic';
COMMENT ON COLUMN vet.own.anl_dat IS 'Since when';
CREATE TABLE vet.tier (clin_no int NOT NULL, own_no int NOT NULL, tr_lfd smallint NOT NULL,
  art char(2) NOT NULL CHECK (art IN ('HD', 'KA', 'PF')), merkm char(24) NOT NULL, gew numeric(6,2),
  PRIMARY KEY (clin_no, own_no, tr_lfd), FOREIGN KEY (clin_no, own_no) REFERENCES vet.own);
CREATE TABLE vet.bes (bes_id bigint PRIMARY KEY, clin_no int NOT NULL, hlt_no int NOT NULL, ts timestamptz NOT NULL,
  doc bytea, st char(1) NOT NULL, FOREIGN KEY (clin_no, hlt_no) REFERENCES vet.own (clin_no, own_no));
CREATE TABLE vet.lost (x int, y text);
INSERT INTO vet.own SELECT 1 + i % 3, i, 'Halter ' || i, '0' || i, CASE WHEN i % 9 = 0 THEN 'X' ELSE ' ' END,
  20200101 + i % 28 FROM generate_series(1, 200) i;
INSERT INTO vet.tier SELECT 1 + i % 3, i, 1, (ARRAY['HD', 'KA'])[1 + i % 2], 'RAUH' || lpad(i::text, 6, '0') || 'BRAUN',
  1 FROM generate_series(1, 200) i;
INSERT INTO vet.bes SELECT i, 1 + i % 3, i, now(), 'x', (ARRAY['O', 'A'])[1 + i % 2] FROM generate_series(1, 200) i;
"""


@pytest.fixture(scope="module")
def dsn(stack: Stack) -> Iterator[str]:
    at = stack.endpoints
    with psycopg.connect(at.postgres_dsn, autocommit=True) as admin:
        admin.execute("CREATE DATABASE practice")
    found = at.dsn(at.postgres_user, at.postgres_password, "practice")
    with psycopg.connect(found) as connection:
        connection.execute(_TABLES.encode())
    yield found
    with psycopg.connect(at.postgres_dsn, autocommit=True) as admin:
        admin.execute("DROP DATABASE practice WITH (FORCE)")


def scaffold(*arguments: str, status: int = 0, **settings: str) -> str:
    done = CliRunner().invoke(app, arguments, env=settings)
    assert done.exit_code == status, done.output
    return done.output


def test_live_tables_become_a_mapping_that_loads_lints_and_passes(dsn: str, tmp_path: Path) -> None:
    tables = [word for name in ("vet.tier", "vet.own", "vet.bes") for word in ("--table", name)]
    scaffold("mapping", "owner", "--url", dsn, *tables, "--out", str(tmp_path))
    [mapping] = load(tmp_path)
    assert mapping.key == ("clinNo", "ownNo")
    assert mapping.tables["vet.bes"].columns["ownNo"].raw == "hlt_no"
    assert mapping.tables["vet.tier"].row == ("clinNo", "ownNo", "trLfd")
    assert mapping.tables["vet.tier"].columns["art"].symbols is not None
    assert mapping.tables["vet.own"].columns["anlDat"].type == "date(yyyymmdd)"
    for command in (lint, cases_app):
        done = CliRunner().invoke(command, ["--mappings", str(tmp_path)])
        assert done.exit_code == 0, done.output
    text = (tmp_path / "owner/owner.yaml").read_text()
    assert "# Since when" in text and "# Owners, by clinic" in text
    assert "perhaps packed" in text
    assert "Halter" not in text


def test_without_a_table_those_that_there_are_are_listed(dsn: str) -> None:
    told = scaffold("mapping", "--url", dsn, status=2)
    assert [line.split()[-1] for line in told.splitlines() if "--table vet." in line] == [
        "vet.bes",
        "vet.lost",
        "vet.own",
        "vet.tier",
    ]


def test_a_table_without_a_key_needs_one_said(dsn: str, tmp_path: Path) -> None:
    told = scaffold("mapping", "lost", "--url", dsn, "--table", "vet.lost", "--out", str(tmp_path), status=2)
    assert "--key" in told
    scaffold("mapping", "lost", "--url", dsn, "--table", "vet.lost", "--key", "x", "--out", str(tmp_path))
    assert "no primary key is known" in (tmp_path / "lost/lost.yaml").read_text()


def test_a_missing_table_and_a_database_that_is_away_are_told(dsn: str) -> None:
    assert "vet.own" in scaffold("mapping", "x", "--url", dsn, "--table", "vet.nope", status=2)
    scaffold("mapping", "x", "--url", "postgresql://nobody@127.0.0.1:9/none", "--table", "a.b", status=3)


def test_the_database_takes_the_context_table_with_the_keys_own_types(dsn: str, tmp_path: Path) -> None:
    scaffold("mapping", "owner", "--url", dsn, "--table", "vet.own", "--out", str(tmp_path))
    script = tmp_path / "context.sql"
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli.main", "scaffold", "context-table", "owner", "--url", dsn],
        env={"GATEWAY_MAPPINGS": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    script.write_bytes(done.stdout)
    with psycopg.connect(dsn) as connection:
        connection.execute(script.read_bytes())
        connection.execute("INSERT INTO vet.own_context (clin_no, own_no, reason) VALUES (1, 3, 'moved house')")
        found = connection.execute(
            "SELECT data_type FROM information_schema.columns "
            "WHERE table_name = 'own_context' AND column_name = 'own_no'"
        ).fetchone()
        connection.rollback()
    assert found == ("integer",)


def test_lint_looks_at_live_tables(dsn: str, tmp_path: Path) -> None:
    scaffold("mapping", "owner", "--url", dsn, "--table", "vet.own", "--out", str(tmp_path))
    assert CliRunner().invoke(lint, ["--mappings", str(tmp_path), "--url", dsn]).exit_code == 0
    path = tmp_path / "owner/owner.yaml"
    path.write_text(path.read_text().replace("      anl_dat:", "      anl_dt:"))
    found = CliRunner().invoke(lint, ["--mappings", str(tmp_path), "--url", dsn])
    assert (found.exit_code, "GW101" in found.output) == (1, True), found.output
