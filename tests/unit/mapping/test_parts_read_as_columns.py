"""Parts are read as any column is, and a plain null under null_when is no text."""

import pytest

from gateway.mapping.kinds import Kind
from gateway.model.errors import ConfigError
from tests.unit.pipeline.interpreted import CUSTOMER, TABLES, mapped, noise

RULE = noise("n", "each: {table: customer, changed: [name]}")
CLAIM = "{is: \"{{ value if row.refKind == 'claim' else null }}\"}"


def test_texts_that_a_part_may_have_are_known_without_their_blanks() -> None:
    tables = TABLES.replace(CLAIM, "{is: \"{{ 'a ' if row.refKind == 'claim' else '' }}\"}")
    column = mapped(RULE, tables).tables[CUSTOMER].columns["claimNo"]
    assert column.symbols == {"a"}
    assert (column.read("a "), column.read("  ")) == ("a", None)


def test_otherwise_without_decode_is_refused_for_a_part_as_for_a_column() -> None:
    tables = TABLES.replace(CLAIM, '{is: "{{ value }}", otherwise: x}')
    with pytest.raises(ConfigError, match="`otherwise` without `decode`"):
        mapped(RULE, tables)


def test_a_plain_null_under_null_when_is_not_the_word() -> None:
    tables = TABLES.replace("nm:      {as: name}", "nm:      {as: name, null_when: [null, '-']}")
    read = mapped(RULE, tables).tables[CUSTOMER].columns["name"].read
    assert (read("null"), read("-"), read(None)) == ("null", None, None)
    assert Kind.TEXT.value == mapped(RULE, tables).tables[CUSTOMER].columns["name"].type
