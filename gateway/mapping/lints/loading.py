"""Load errors as lint findings: each wording of the loader belongs to one code; the first pattern that fits decides."""

from __future__ import annotations

import re

from gateway.mapping.lints.declare import LINTS, Finding, Lint, Severity, declared
from gateway.model.errors import Fault

__all__ = ["finding_of"]


def _load(code: str, name: str, why: str, mend: str, example: str) -> Lint:
    return declared(Lint(code, name, Severity.ERROR, why, mend, example))


_WORDINGS: list[tuple[str, str]] = []


def _words(lint: Lint, *patterns: str) -> None:
    _WORDINGS.extend((lint.code, pattern) for pattern in patterns)


_words(
    _load("GW001", "not-yaml", "the file cannot be read at all", "mend the YAML at this place", "rules: [{rule: x"),
    r"not YAML",
    r"file is (empty|larger)",
    r"not UTF-8",
    r"cannot be read",
    r"nested deeper than 20$",
    r"half a character",
    r"too many faults",
    r"a mapping file is a map",
)
_words(
    _load("GW002", "refused-yaml", "YAML that surprises people is refused", "write it out plainly", "name: &a x"),
    r"^an? (anchor|alias|tag|merge key|YAML directive|tab|second document)\b",
    r"without quotes",
    r"as a key$",
    r"stands here twice$",
    r"nothing is written here",
)
_words(
    _load("GW009", "contract-unreadable", "the contract's file is no contract", "mend the Avro schema", '{"type": 1}'),
    r"not JSON",
    r"not an Avro schema",
    r"contract is nested",
    r"namespace `.*` does not end",
    r"record is called",
    r"cannot be called",
    r"has distinct symbols",
    r"two fields are called",
    r"there is no type '",
    r"a decimal has a pre",
    r"the default ",
    r"mend the contract$",
)
_words(
    _load("GW015", "not-built", "the language has it, this release does not", "leave it out", "unit: row"),
    r"not built yet",
)
_words(
    _load(
        "GW013", "event-filled-twice", "two events of one row would get one id", "give one a slot", "event: A  # twice"
    ),
    r"can both publish",
)
_words(
    _load("GW016", "impossible-value", "the column or enum never has the value", "take one of its values", "x: ghost"),
    r"none of the (column's|possible) values",
    r"no symbol",
)
_words(
    _load("GW010", "field-without-value", "the contract wants a field that the rule leaves out", "fill it", "data: {}"),
    r"is left out and has no default",
)
_words(
    _load("GW018", "null-in-field", "null stands where the contract has none", "fill it, or allow null", "name: null"),
    r"null, where the contract",
    r"`\$when` gives null",
)
_words(
    _load(
        "GW012",
        "field-mismatched",
        "the payload has another shape than the contract",
        "follow the contract",
        "data: {nmae: …}",
    ),
    r"has no field",
    r"taken (twice|by \$take)",
    r"a (map|list) for `",
    r"an array for `",
    r"several records",
    r"has no record",
    r"\$each",
    r"\$item",
    r"\$key",
    r"\$take",
    r"\$from",
    r"there is no `\$",
    r"`data` is a map",
    r"is one row, not a list",
    r"no list of rows",
)
_words(
    _load(
        "GW011",
        "field-of-another-type",
        "the expression gives another type than the contract wants",
        "convert it",
        'amount: "{{ after.name }}"',
    ),
    r"where the contract wants",
    r"^`[^`]*`: ",
)
_words(
    _load(
        "GW017", "bookkeeping-as-fact", "bookkeeping is never a fact by itself", "leave it out", "changed: [changedBy]"
    ),
    r"is a bookkeeping column",
)
_words(
    _load("GW014", "name-taken", "a name means one thing only", "choose another name", "as: row"),
    r"is reserved",
    r"two (tables|columns|rules) are called",
    r"is taken",
    r"belongs to .* already",
    r"is shared already",
    r"stands in two shared",
    r"is a condition already",
    r"cannot keep its name",
)
_words(
    _load("GW004", "unknown-name", "the name stands for nothing", "spell it as it is declared", "changed: [ctiy]"),
    r"has no (plain )?column",
    r"there is no (lookup|table|code table|contract|file|filter|test|plain column|mapping)",
    r"unknown (name|type)",
    r"is no column",
    r"is a group$",
    r"lacks the aggregate's key",
    r"the table .* lacks",
    r"fits no row",
    r"^`\w+` has no `",
    r"the condition `.*` uses itself",
)
_words(
    _load(
        "GW008",
        "match-unsound",
        "the match says nothing, or two things at once",
        "say what happened to which row",
        "each: {table: address}",
    ),
    r"`(noise|each|once|with|because|event|data|intent|slot)` (beside|without|in a)",
    r"(rule|pattern) lacks `",
    r"rule (has|matches|takes)",
    r"the pattern does not say",
    r"`(update|changed|explains|snapshot)`",
    r"snapshot",
    r"witness",
    r"takes nothing",
    r"`any` in a noise",
    r"state event",
    r"intent: state",
    r"`not` beside",
    r"an empty test",
    r"on_error",
    r"is a part$",
    r"`row` is",
    r"identified by whole",
    r"`\w+` beside `(parts|rule|each|from)",
)
_words(
    _load(
        "GW007",
        "types-disagree",
        "values of two types are compared or joined",
        "convert one with a filter",
        "when: row.amount == 'ten'",
    ),
    r"is compared with",
    r"the branches are",
    r"does not take",
    r"is wanted here, not (text|int|decimal|bool|date|time|byte)",
    r"with a default of",
    r"has no order",
    r"is .* in another table",
    r"here and .* in the anchor",
    r"gives another type",
    r"gives text or true/false",
    r"`type` beside `decode`",
    r"bytes cannot",
    r"is no (text|int|decimal|bool|date|time|byte)",
    r"`otherwise` without",
    r"a part is computed",
)
_words(
    _load(
        "GW003",
        "wrong-shape",
        "the grammar wants something else at this place",
        "see the mapping reference",
        "rule: {x: y}",
    ),
    r"has no key",
    r"lacks `",
    r"is a map, not",
    r"is wanted here",
    r"the list is empty",
    r"a list of .* are the most",
    r"`.*` is not (a|an|true) ?",
    r"beside `parts`",
    r"is not a (name|domain)",
    r"is not schema\.table$",
)
_words(
    _load(
        "GW006",
        "expression-refused",
        "the expression is not of the language",
        "see the language's list of forms",
        "when: row.x / 2",
    ),
    r"is refused",
    r"^not an expression",
    r"^an (expression|escape|empty expression)",
    r"^a (call|chain|number|text|map|list|condition|comment|statement|filter|division|power|remainder|sign)\b",
    r"^a (slice|tuple)\b",
    r"the expression ends before",
    r"two texts side",
    r"^`(\{\{|\}\})` without",
    r"is a bare expression",
    r"there is no `(\w+\.)?(before|after)`",
    r"is known (where|inside)",
    r"takes (nothing|one argument|constants|[0-9]+ arguments)",
    r"is no \w+ for the filter",
    r"nested deeper",
    r"more than [0-9]+ parts",
    r"`is (changed|present)`",
    r"is not a value",
    r"only constants stand",
    r"right of `in`",
    r"(the )?filters? ",
    r"is (a row|a list of rows|one row|a condition)",
    r"a name is wanted",
    r"columns are not nested",
    r"a value has no",
)
_words(
    _load("GW099", "other-load-error", "the mapping does not load", "see the message", "rules: …"),
    r".",
)


def finding_of(fault: Fault) -> Finding:
    """A load error as a finding; every one has a code."""
    text = fault.what
    code = next(code for code, pattern in _WORDINGS if re.search(pattern, text))
    if re.search(r"^an? [\w ]+ has no key `", text):
        code = "GW003"
    if fault.file.endswith(".avsc"):
        code = "GW009"
    return Finding(LINTS[code], fault.file, fault.line, fault.column, text, fault.hint, fault.excerpt)
