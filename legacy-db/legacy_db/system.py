"""The legacy system as a whole: create it, fill it, let its applications work."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import psycopg

from legacy_db.apps import applications
from legacy_db.desk import Desk
from legacy_db.executor import Executor, RunReport
from legacy_db.people import People
from legacy_db.schedule import Planner
from legacy_db.seeding import seed_rows, seed_world
from legacy_db.tables import ROOTS, SCHEMA_FILE
from legacy_db.truth import TruthFile, TruthTransaction, read_truth, settle
from legacy_db.work import Aggregate
from legacy_db.world import World

__all__ = ["create_schema", "run", "seed"]

_DOOMED = {"Customer": 4, "Policy": 2, "BillingAccount": 2, "Claim": 2}


def create_schema(dsn: str) -> None:
    """Creates the schemas and tables, all with REPLICA IDENTITY FULL; what is there stays. Raises psycopg.Error."""
    with psycopg.connect(dsn) as connection:
        connection.execute(SCHEMA_FILE.read_bytes())


def seed(dsn: str, seed: int, customers: int = 2_000) -> int:
    """Fills empty tables and returns the number of rows. Raises psycopg.Error; ValueError below 20 customers."""
    if customers < 20:
        raise ValueError(f"{customers} customers are too few to work with: at least 20")
    with psycopg.connect(dsn) as connection:
        return seed_rows(connection, seed_world(seed, customers))


def run(
    dsn: str,
    seed: int,
    transactions: int,
    truth_path: Path | str,
    progress: Callable[[int], None] | None = None,
    connections: int = 8,
    rate: float | None = None,
    folder: str | None = None,
) -> RunReport:
    """Lets the applications do that many transactions and tells the truth to a file (appended to, if it is there).

    `progress` is given the number of transactions so far; `rate` is transactions a second at most; `folder` holds
    further applications (default: GATEWAY_APPLICATIONS). Raises psycopg.Error, and ValueError for a bad application.
    """
    path = Path(truth_path)
    settle(path, dsn)
    known = read_truth(path)
    first = 1 + max((int(each.tx.split(".")[0]) for each in known), default=0)
    with psycopg.connect(dsn) as connection:
        world = World.read(connection)
    rng = random.Random(f"run/{seed}/{first}")
    desk = Desk(world, People(seed), rng, _doomed(world, rng, known), number=first - 1)
    planner = Planner(desk, applications(folder), transactions)
    with TruthFile(path, known) as truth:
        return Executor(dsn, truth, connections).run(planner, first, rate, progress)


def _doomed(world: World, rng: random.Random, known: list[TruthTransaction]) -> frozenset[Aggregate]:
    """The few aggregates that bad values may be written to: those that have some already, or some chosen now."""
    spoilt = {aggregate for each in known if each.committed for aggregate in each.untranslatable}
    if spoilt:
        return frozenset(spoilt)
    return frozenset((kind, number) for kind in _DOOMED for number in _chosen(world, rng, kind))


def _chosen(world: World, rng: random.Random, kind: str) -> list[int]:
    table = ROOTS[kind].name
    rows = world.rows[table]
    ids = [n for n in world.ids(table) if rows[n,].get("sts") in (None, "A", "O") and _simple(world, kind, n)]
    return rng.sample(ids, min(_DOOMED[kind], len(ids)))


def _simple(world: World, kind: str, number: int) -> bool:
    """Not a customer with roles or merges: what happens to others must not hang on a damaged one."""
    return kind != "Customer" or not (world.roles_of(number) or world.of("crm.mrg_log", number))
