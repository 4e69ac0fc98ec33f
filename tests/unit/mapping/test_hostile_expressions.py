"""Sixty hostile expressions in ten classes: each is refused, or ends at once and in little memory."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import jinja2.nodes
import pytest

ROOT = Path(__file__).parents[3]
MEGABYTE = 1024 * 1024

HOSTILE: dict[str, tuple[str, ...]] = {
    "escapes": (
        r"'\x41' == row.name",
        r"'\u0041' ~ row.name",
        r"'\N{BULLET}' ~ row.name",
        r"'\U0010ffff' | length",
        "'a\\'b' ~ \"c\\\"d\"",
        "'unclosed",
        "'\\",
        "'\x00' ~ row.name",
    ),
    "attribute walks": (
        "row.__class__",
        "row.name.__class__.__mro__",
        "''.__class__.__subclasses__()",
        "row.__init__.__globals__",
        "key.__dict__",
        "transaction.id.__class__",
        "row.name.format",
        "before.__getattribute__",
    ),
    "huge numbers": (
        "9" * 39,
        "9" * 900,
        f"{'9' * 38} * {'9' * 38} * {'9' * 38}",
        "'1e999999999' | decimal(2)",
        "10 ** 10 ** 10",
        "0x7fffffffffffffff",
        "1_000_000_000",
        "999999999999999999999999999999999999999 | int",
        "row.name | pad_left(1000000000, ' ')",
        "1.7976931348623157e308",
        "'9' | decimal(1000000)",
        "-9 * -9 * " + " * ".join(["99999999999999999999999999999999999999"] * 20),
    ),
    "nesting": (
        "(" * 500 + "1" + ")" * 490,
        "[" * 300,
        "not " * 250 + "row.flag",
        "-" * 900 + "1",
        "(" * 19 + "row.flag" + ")" * 19,
        "row.flag" + " if row.flag else row.flag" * 37,
        "a.b" + ".c" * 400,
        "((((((((((((((((((((((((row.flag))))))))))))))))))))))))",
    ),
    "long texts": (
        "'" + "x" * 990 + "'",
        "'" + "x" * 100_000 + "'",
        "row.long ~ row.long ~ row.long ~ row.long",
        "row.long | replace('x', '" + "y" * 900 + "')",
        "row.long | replace('x', 'yy') | replace('y', 'zz') | replace('z', 'aaaa')",
        "row.long | pad_left(256, '0') | mask(0) | upper | lower",
        " " * 1_000_000,
        "row.long ~ '" + "y" * 900 + "' ~ row.long",
    ),
    "patterns": (
        "row.name is match('(a+)+$')",
        "row.long | regex_replace('(x+x+)+y', '')",
        "row.name | search('((a*)*)*b')",
        "row.name matches '.*.*.*.*'",
        "row.name =~ '(x+)+'",
        "row.long is in('x')",
        "row.name is startingwith 'a'",
    ),
    "unicode": (
        "row.nаme",  # a Cyrillic letter
        "ｒｏｗ.name",
        "row.name == '\u202e'",
        "٣ + 1",
        "'" + "\U0001f469\u200d" * 200 + "' | length",
        "row.name\u2028== 'a'",
        "row.name == 'ſ' | upper",
        "'ß' * 3",
        "'" + "ΐ" * 900 + "' | upper | upper",
    ),
    "statements and comments": (
        "{% for x in range(9999999) %}x{% endfor %}",
        "{# #} row.flag",
        "row.flag # comment",
        "row.flag; row.flag",
        "set x = 1",
        "import os",
        "row.flag }} {{ row.flag",
        "{{ row.flag }}",
        "row.flag {%- raw %}",
    ),
    "calls and items": (
        "range(999999999)",
        "lipsum(n=10000)",
        "cycler('a')",
        "row['name']",
        "row.name[0:999999999]",
        "row.name.upper()",
        "dict(a=1)",
        "{'a': 1}",
        "(1, 2, 3)",
        "[row.name for x in y]",
        "lambda: 1",
    ),
    "template tricks": (
        "self",
        "caller()",
        "loop.index",
        "row | attr('__class__')",
        "row.name | map('upper') | list",
        "config",
        "request.application",
        "row.name | format(row)",
        "namespace(x=1)",
        "joiner()",
        "row.name | safe",
        "row.name | default('x', true)",
        "row.name | default(value='x')",
        "row.name | replace('', 'xx')",
        "row.name is sameas row.name",
        "row.name if row.flag",
    ),
}

CHILD = """
import json, sys, time, tracemalloc
from gateway.mapping.compiled import RowOp, Scope
from gateway.mapping.expressions.compiler import compile_expression, compile_test
from gateway.mapping.expressions.names import Names, RowShape
from gateway.mapping.expressions.syntax import ExpressionFault
from gateway.mapping.kinds import Kind, Type

class Row:
    op, changed, other = "update", frozenset(), None
    before = after = {"name": "Ada", "flag": True, "long": "x" * 60_000}

columns = {"name": Type(Kind.TEXT), "flag": Type(Kind.BOOL), "long": Type(Kind.TEXT)}
names = Names(anchor=RowShape("customer", columns, frozenset({RowOp.UPDATE})), key={"id": Type(Kind.INT)})
scope = Scope(Row(), {}, {"id": 7}, {"id": 1, "time": None})

def one(text):
    found = []
    for compile_one in (compile_expression, compile_test):
        try:
            result = compile_one(text, names).run(scope)
            found.append(f"ends: {type(result).__name__} of {len(str(result).encode('utf-8', 'surrogatepass'))}")
        except ExpressionFault as fault:
            found.append(f"refused: {fault.what}")
    return found

def seconds(text):
    # the least CPU time of up to five runs: a busy machine makes single ones slow
    least = 1e9
    for _ in range(5):
        start = time.process_time()
        one(text)
        least = min(least, time.process_time() - start)
        if least < 0.04:
            break
    return least

def memory(text):
    tracemalloc.start()
    one(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak

one("row.name == 'warm'")
for line in sys.stdin:
    text = json.loads(line)
    print(json.dumps([one(text), seconds(text), memory(text)]), flush=True)
"""


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    resource.setrlimit(resource.RLIMIT_AS, (1024 * MEGABYTE, 1024 * MEGABYTE))


def test_each_hostile_expression_is_refused_or_ends_at_once() -> None:
    """50 ms of CPU (not of the clock) and 20 MB, in a child process with limits of its own."""
    texts = [text for each in HOSTILE.values() for text in each]
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    child = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=lines,
        capture_output=True,
        text=True,
        cwd=ROOT,
        preexec_fn=limited,
        timeout=300,
    )
    assert child.returncode == 0, child.stderr[-2000:]
    answers = [json.loads(line) for line in child.stdout.splitlines()]
    assert len(answers) == len(texts), "the child died: it went beyond its limits"
    slowest = max(answers, key=lambda each: each[1])
    largest = max(answers, key=lambda each: each[2])
    print(f"{len(texts)} expressions; slowest {slowest[1] * 1000:.1f} ms, most memory {largest[2] / MEGABYTE:.1f} MB")
    assert slowest[1] < 0.05, texts[answers.index(slowest)][:200]
    assert largest[2] < 20 * MEGABYTE, texts[answers.index(largest)][:200]


def test_there_are_sixty_of_them_and_six_of_each_of_ten_classes() -> None:
    assert len(HOSTILE) == 10
    assert all(len(each) >= 6 for each in HOSTILE.values())
    assert sum(map(len, HOSTILE.values())) >= 60


ALLOWED = frozenset(
    {
        "Add",
        "And",
        "Compare",
        "Concat",
        "CondExpr",
        "Const",
        "Filter",
        "Getattr",
        "List",
        "Mul",
        "Name",
        "Neg",
        "Not",
        "Operand",
    }
    | {"Or", "Sub", "Test"}
)
REFUSED = frozenset(
    {"Call", "Dict", "Div", "FloorDiv", "Getitem", "Keyword", "Mod", "Pair", "Pos", "Pow", "Slice", "Tuple"}
    | {
        "Assign",
        "AssignBlock",
        "Block",
        "Break",
        "CallBlock",
        "Continue",
        "ContextReference",
        "DerivedContextReference",
    }
    | {"EnvironmentAttribute", "EvalContextModifier", "ExprStmt", "Extends", "ExtensionAttribute", "FilterBlock", "For"}
    | {
        "FromImport",
        "If",
        "Import",
        "ImportedName",
        "Include",
        "InternalName",
        "Macro",
        "MarkSafe",
        "MarkSafeIfAutoescape",
    }
    | {"NSRef", "Output", "OverlayScope", "Scope", "ScopedEvalContextModifier", "Template", "TemplateData", "With"}
)
ABSTRACT = frozenset({"BinExpr", "Expr", "Helper", "Literal", "Node", "Stmt", "UnaryExpr", "_FilterTestCommon"})


def subclasses(kind: type[jinja2.nodes.Node]) -> set[str]:
    return {kind.__name__}.union(*(subclasses(each) for each in kind.__subclasses__()))


def test_jinja2_has_no_node_type_that_the_language_does_not_know() -> None:
    """A new release may parse new forms: each must be allowed or refused on purpose."""
    assert subclasses(jinja2.nodes.Node) == ALLOWED | REFUSED | ABSTRACT


@pytest.mark.parametrize("name", sorted(ALLOWED - {"Operand", "List"}))
def test_the_compiler_knows_what_is_allowed(name: str) -> None:
    source = (ROOT / "gateway/mapping/expressions/compiler.py").read_text()
    assert f"nodes.{name}: " in source
