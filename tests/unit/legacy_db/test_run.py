"""The applications' runs: the same meaning under the same seed, whatever the threads do, and a truth that survives."""

from __future__ import annotations

import json
import threading
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from gateway.stack import Stack
from legacy_db import create_schema, run, seed
from legacy_db.apps import applications
from legacy_db.oracle import expect, project, reconcile
from legacy_db.seeding import seed_world
from legacy_db.tables import TABLES
from legacy_db.truth import read_truth, settle
from tests.unit.legacy_db import perfect
from tests.unit.legacy_db.worked import Worked, new_database, work

pytestmark = pytest.mark.stack

OUTSIDE = """
from legacy_db.application import Application, Function


def plan(desk):
    customer = desk.customer()
    if customer is None:
        return None
    draft = desk.draft()
    draft.update("crm.cust", customer, scor=1)
    draft.nothing("an application from outside")
    return draft


APPLICATIONS = [Application("outside", "OUTSIDE", ["OUT"], (Function("outside", 600, plan),))]
"""


@pytest.fixture(scope="module")
def worked(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Worked:
    return work(stack.endpoints.postgres_dsn, tmp_path_factory.mktemp("run"), 3, 600)


def test_all_meant_to_commit_does(worked: Worked) -> None:
    """As many transactions commit as were asked for, others roll back, and each has an end on record."""
    outcomes = Counter(each.outcome for each in worked.truth)
    assert outcomes["committed"] == worked.report.committed == 600
    assert outcomes["rolledback"] == worked.report.rolled_back > 0
    assert set(outcomes) == {"committed", "rolledback"}


def test_one_in_five_overlaps(worked: Worked) -> None:
    """At least one transaction in five was open while another was."""
    assert worked.report.overlapping * 5 >= len(worked.truth)


def test_ordinals_follow_the_commit_order_without_gaps(worked: Worked) -> None:
    """Each aggregate's ordinals count from 1, and every attempt that began has one."""
    seen: dict[object, list[int]] = {}
    for each in worked.truth:
        for aggregate, ordinal in each.ordinals.items():
            seen.setdefault(aggregate, []).append(ordinal)
    assert all(sorted(found) == list(range(1, len(found) + 1)) for found in seen.values())


def test_the_same_seed_means_the_same_on_any_number_of_connections(
    worked: Worked, stack: Stack, tmp_path: Path
) -> None:
    """Facts and ordinals are those of the plan; only transaction ids differ."""
    again = work(stack.endpoints.postgres_dsn, tmp_path, 3, 600, connections=2)
    assert _meaning(again) == _meaning(worked)
    assert again.legacy == worked.legacy


def _meaning(worked: Worked) -> list[object]:
    return sorted(
        (int(each.tx.split(".")[0]), each.tx, each.label, json.dumps([f.data for f in each.facts]), str(each.ordinals))
        for each in worked.truth
    )


def test_the_writer_is_as_dirty_as_promised(worked: Worked) -> None:
    """Blank in 8 %, shared in 12 %, stale in 10 %, wrong in 2 % of the work on names, addresses and status."""
    stamped = Counter(each.writer for each in worked.truth if each.stamped_badly)
    total = stamped.total()
    for condition, share in (("blank", 8), ("shared", 12), ("stale", 10), ("wrong", 2)):
        assert abs(stamped[condition] * 100 / total - share) < 4, condition


def test_a_second_run_goes_on_where_the_first_stopped(stack: Stack, tmp_path: Path) -> None:
    """Truth, ids and ordinals are continued on the same database."""
    dsn, path = new_database(stack.endpoints.postgres_dsn), tmp_path / "truth.jsonl"
    create_schema(dsn)
    seed(dsn, 1, 100)
    run(dsn, 1, 80, path)
    first = {each.tx for each in read_truth(path)}
    run(dsn, 1, 80, path)
    truth = read_truth(path)
    assert first < {each.tx for each in truth}
    assert expect(truth).transactions == 160


def test_the_database_is_asked_about_what_a_kill_left_open(stack: Stack, tmp_path: Path) -> None:
    """A transaction without an end on record is looked up by its id, and a half-written line is left out."""
    dsn, path = new_database(stack.endpoints.postgres_dsn), tmp_path / "truth.jsonl"
    create_schema(dsn)
    seed(dsn, 1, 100)
    run(dsn, 1, 40, path)
    lines = path.read_text().splitlines()
    ends = [at for at, line in enumerate(lines) if '"phase":"committed"' in line]
    path.write_text("\n".join(line for at, line in enumerate(lines) if at not in ends[-2:]) + '\n{"tx":"99","pha')
    with pytest.raises(ValueError, match="settle"):
        expect(read_truth(path))
    assert settle(path, dsn) == 2
    assert expect(read_truth(path)).transactions == 40


def test_applications_from_outside_take_part(stack: Stack, tmp_path: Path) -> None:
    """A folder of Python files adds applications; a file without any is named in the error."""
    (tmp_path / "outside.py").write_text(OUTSIDE)
    dsn = new_database(stack.endpoints.postgres_dsn)
    create_schema(dsn)
    seed(dsn, 1, 100)
    run(dsn, 1, 60, tmp_path / "truth.jsonl", folder=str(tmp_path))
    assert "outside" in {each.label for each in read_truth(tmp_path / "truth.jsonl")}
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(ValueError, match=r"empty\.py"):
        applications(str(tmp_path))


def test_every_table_has_its_aggregates_id_and_its_whole_before(worked: Worked) -> None:
    """The owner column is int4 NOT NULL in every table, and every table is REPLICA IDENTITY FULL."""
    query = """
        SELECT n.nspname || '.' || c.relname, c.relreplident::text, string_agg(a.attname, ' ')
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE n.nspname IN ('crm', 'pol', 'bil', 'clm') AND c.relkind = 'r' AND a.attnotnull
           AND a.atttypid = 'int4'::regtype AND a.attnum > 0 GROUP BY 1, 2"""
    with psycopg.connect(worked.dsn) as connection:
        found = {name: (identity, columns.split()) for name, identity, columns in connection.execute(query)}
    assert set(found) == set(TABLES)
    for name, table in TABLES.items():
        identity, columns = found[name]
        assert identity == "f" and table.owner in columns, name


def test_seed_data_is_decided_by_the_seed() -> None:
    """The same seed gives the same rows, another one others; projected columns hold no bad values."""
    assert seed_world(7, 60).rows == seed_world(7, 60).rows != seed_world(8, 60).rows


def test_connections_cut_off_amid_work_lose_and_double_nothing(stack: Stack, tmp_path: Path) -> None:
    """Backends killed again and again: each transaction is asked for and repeated; events still give the tables."""
    stop = threading.Event()

    def cut() -> None:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'legacy-applications'"
        with psycopg.connect(stack.endpoints.postgres_dsn, autocommit=True) as connection:
            while not stop.wait(0.25):
                connection.execute(query + " AND datname LIKE 'legacy_%%' ORDER BY random() LIMIT 2", [])

    cutter = threading.Thread(target=cut)
    cutter.start()
    try:
        worked = work(stack.endpoints.postgres_dsn, tmp_path, 9, 500)
    finally:
        stop.set()
        cutter.join()
    outcomes = Counter(each.outcome for each in worked.truth)
    assert outcomes["aborted"] > 0
    assert outcomes["committed"] == 500
    published = [*perfect.states(worked.seeded), *perfect.events(worked.truth)]
    parked = expect(worked.truth).parked_from
    assert reconcile(project(published), worked.legacy, parked).differences == []
