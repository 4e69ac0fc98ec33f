"""Legacy DDL from scripts: the tables as the database would describe them."""

import random
import re
from pathlib import Path

import pytest

from gateway.adapters.ddl import read_ddl, tables_of
from gateway.model.errors import ConfigError

TABLE = "CREATE TABLE crm.cust (id int4 PRIMARY KEY, nm char(30) NOT NULL, amt numeric(9,2), ts timestamp(0));"


def types(script: str, table: str = "crm.cust") -> dict[str, str]:
    return {name: column.type for name, column in tables_of(script)[table].columns.items()}


def test_types_are_spelled_as_the_database_does() -> None:
    assert types(TABLE) == {
        "id": "integer",
        "nm": "character(30)",
        "amt": "numeric(9,2)",
        "ts": "timestamp(0) without time zone",
    }


@pytest.mark.parametrize(
    ("change", "columns"),
    [
        ("ADD COLUMN tier char(1)", "id nm amt ts tier"),
        ("ADD COLUMN a int, DROP COLUMN nm", "id amt ts a"),
        ("RENAME COLUMN nm TO name", "id name amt ts"),
        ("DROP COLUMN IF EXISTS nope", "id nm amt ts"),
        ("ALTER COLUMN amt SET NOT NULL", "id nm amt ts"),
    ],
)
def test_changes_are_applied(change: str, columns: str) -> None:
    assert " ".join(types(f"{TABLE} ALTER TABLE crm.cust {change};")) == columns


def test_a_column_is_retyped_and_a_table_renamed_or_dropped() -> None:
    assert types(f"{TABLE} ALTER TABLE crm.cust ALTER COLUMN id TYPE bigint;")["id"] == "bigint"
    assert list(tables_of(f"{TABLE} ALTER TABLE crm.cust RENAME TO client;")) == ["crm.client"]
    assert list(tables_of(f"{TABLE} DROP TABLE crm.cust;")) == []


def test_keys_and_unique_columns_are_known_and_go_with_their_columns() -> None:
    script = """
    CREATE TABLE a (x int, y int, z int, UNIQUE (y, z), PRIMARY KEY (x, y));
    CREATE UNIQUE INDEX i ON a (z); CREATE UNIQUE INDEX part ON a (x) WHERE z > 0;
    ALTER TABLE a ADD CONSTRAINT c UNIQUE (y);
    """
    table = tables_of(script)["public.a"]
    assert table.primary_key == ("x", "y")
    assert set(table.unique) == {frozenset(one) for one in ("xy", "yz", "z", "y")}
    assert not table.columns["x"].nullable
    assert set(tables_of(f"{script} ALTER TABLE a DROP COLUMN z;")["public.a"].unique) == {
        frozenset("xy"),
        frozenset("y"),
    }


def test_what_says_nothing_of_tables_is_passed_over() -> None:
    script = "CREATE SCHEMA crm; INSERT INTO t VALUES (1); COMMENT ON TABLE x IS 'y'; GRANT SELECT ON crm.t TO me;"
    assert tables_of(script) == {}


@pytest.mark.parametrize(
    ("script", "told"),
    [("CREATE TABLE (((", "not SQL"), ("ALTER TABLE crm.x ADD COLUMN y int;", "no script creates it")],
)
def test_what_cannot_be_read_is_told_with_its_file(tmp_path: Path, script: str, told: str) -> None:
    path = tmp_path / "legacy.sql"
    path.write_text(script)
    with pytest.raises(ConfigError, match=told) as caught:
        read_ddl([path])
    assert "legacy.sql" in str(caught.value)


def test_files_that_are_missing_or_no_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "latin.sql").write_bytes("CREATE TABLE ä (x int)".encode("latin-1"))
    for path, told in ((tmp_path / "none.sql", "cannot be read"), (tmp_path / "latin.sql", "not UTF-8")):
        with pytest.raises(ConfigError, match=told):
            read_ddl([path])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"no \.sql file"):
        read_ddl([tmp_path / "empty"])


@pytest.mark.parametrize(
    ("script", "table", "columns"),
    [
        ('CREATE TABLE CRM.Cust (CUST_ID int, "Mixed" text)', "crm.cust", "cust_id Mixed"),
        ("SET search_path TO crm, public; CREATE TABLE cust (id int)", "crm.cust", "id"),
        ("SET search_path = 'crm'; CREATE TABLE cust (id int)", "crm.cust", "id"),
        ("CREATE TABLE a.b (x int); CREATE TABLE a.c (LIKE a.b INCLUDING ALL, y int)", "a.c", "x y"),
        ("CREATE TABLE a.b (x int); CREATE TABLE a.c (y int) INHERITS (a.b)", "a.c", "x y"),
        ("CREATE TABLE a.b (x int) PARTITION BY LIST (x); CREATE TABLE a.c PARTITION OF a.b DEFAULT", "a.c", "x"),
        ("CREATE TABLE a.b (x int); ALTER TABLE a.b SET SCHEMA c", "c.b", "x"),
        ("DROP SCHEMA IF EXISTS a CASCADE; CREATE TABLE a.b (x int)", "a.b", "x"),
        ("\\restrict k\nCREATE TABLE a.b (x int);\nCOPY a.b (x) FROM stdin;\n1;2\n\\.\nSELECT 1;", "a.b", "x"),
    ],
)
def test_scripts_as_people_and_dumps_write_them(script: str, table: str, columns: str) -> None:
    assert " ".join(types(script, table)) == columns


def test_a_schema_is_dropped_with_its_tables() -> None:
    assert tables_of("CREATE TABLE a.b (x int); CREATE TABLE c.d (x int); DROP SCHEMA a CASCADE").keys() == {"c.d"}


def test_a_key_that_is_added_later_as_dumps_do_is_the_key() -> None:
    table = tables_of("CREATE TABLE a.b (x int, y serial); ALTER TABLE ONLY a.b ADD CONSTRAINT pk PRIMARY KEY (x);")[
        "a.b"
    ]
    assert (table.primary_key, table.unique) == (("x",), (frozenset("x"),))
    assert [one.nullable for one in table.columns.values()] == [False, False]


def test_what_is_no_sql_is_told_with_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "legacy.sql"
    path.write_text("\\connect legacy\nCREATE TABLE a.b (x int);\nCREATE TABLE a.c (x int;\n")
    with pytest.raises(ConfigError) as caught:
        read_ddl([path])
    assert caught.value.where.startswith(f"{path}:3:")


_STATEMENTS = (
    "CREATE TABLE crm.cust (id int4 PRIMARY KEY, nm char(30) NOT NULL, amt numeric(9,2) DEFAULT 0, UNIQUE (nm, amt));",
    "CREATE TABLE a.c (LIKE crm.cust INCLUDING ALL);",
    "CREATE TABLE q.p PARTITION OF crm.cust DEFAULT;",
    "CREATE UNIQUE INDEX i ON crm.cust (nm DESC);",
    "ALTER TABLE crm.cust RENAME COLUMN nm TO name;",
    "ALTER TABLE crm.cust ALTER COLUMN nm TYPE text, DROP COLUMN amt, ADD COLUMN tier char(1);",
    "ALTER TABLE ONLY crm.cust ADD CONSTRAINT pk PRIMARY KEY (id);",
    "ALTER TABLE crm.cust SET SCHEMA z;",
    "DROP TABLE IF EXISTS crm.cust, a.b;",
    "SET search_path TO crm;",
)
_PIECES = [
    "(",
    ")",
    ",",
    ";",
    "'",
    '"',
    "$$",
    "NOT",
    "ONLY",
    "COLUMN",
    "TABLE",
    "ADD",
    "\\x",
    "--",
    "/*",
    "[]",
    "::",
    "0",
]


@pytest.mark.parametrize("seed", range(3))
def test_changed_scripts_are_read_or_refused(seed: int) -> None:
    """A hundred scripts with a token taken out, put in or doubled; nothing else is ever raised."""
    chance = random.Random(seed)
    for _ in range(100):
        tokens = re.findall(r"\w+|\s+|\W", "\n".join(chance.sample(_STATEMENTS, chance.randint(1, 5))))
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(tokens))
            tokens[at : at + chance.randint(0, 2)] = chance.choice(
                [[], [chance.choice(tokens)], [chance.choice(_PIECES)]]
            )
            tokens = tokens or [" "]
        try:
            tables_of("".join(tokens))
        except ConfigError as error:
            assert error.where, error
