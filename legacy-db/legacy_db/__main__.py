"""Command line: python -m legacy_db create | seed | run."""

from __future__ import annotations

import argparse
import os
import sys

from legacy_db.system import create_schema, run, seed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m legacy_db", description="The legacy system: database and work.")
    parser.add_argument("--dsn", default=os.environ.get("LEGACY_DSN"), help="PostgreSQL, or LEGACY_DSN")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("GATEWAY_SEED", "1")))
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("create", help="create the schema")
    filling = commands.add_parser("seed", help="fill the empty tables")
    filling.add_argument("--customers", type=int, default=2_000)
    working = commands.add_parser("run", help="let the applications work")
    working.add_argument("--transactions", type=int, default=3_000)
    working.add_argument("--truth", required=True, help="the truth file (JSON lines), appended to")
    working.add_argument("--connections", type=int, default=8)
    working.add_argument("--rate", type=float, default=None, help="transactions a second at most")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; 0 when done, 2 when no database was named."""
    chosen = _parser().parse_args(arguments)
    if not chosen.dsn:
        print("no database: give --dsn or set LEGACY_DSN", file=sys.stderr)
        return 2
    if chosen.command == "create":
        create_schema(chosen.dsn)
    elif chosen.command == "seed":
        print(f"{seed(chosen.dsn, chosen.seed, chosen.customers)} rows")
    else:
        done = run(
            chosen.dsn,
            chosen.seed,
            chosen.transactions,
            chosen.truth,
            connections=chosen.connections,
            rate=chosen.rate,
        )
        print(
            f"{done.committed} committed, {done.rolled_back} rolled back, {done.overlapping} overlapping, "
            f"{done.seconds:.1f} s"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
