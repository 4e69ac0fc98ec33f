"""What editors and readers get from the declarations: JSON Schema files and the generated reference pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from gateway.authoring.case_grammar import CASES
from gateway.mapping.lints.catalogue import all_lints
from gateway.mapping.reference import GENERATED, functions_page, language_page
from gateway.mapping.schema import json_schema, schema_of

__all__ = ["reference_pages", "schemas", "write"]

_CASES = (
    "A file of test cases",
    "`<mapping>_test.yaml` beside the mapping; `gateway test` runs it.",
    CASES,
)


def schemas() -> Mapping[str, str]:
    """JSON Schema by file name: of mapping files, of shared files, of files of test cases."""
    made = {
        "mapping.schema.json": json_schema(),
        "shared.schema.json": json_schema(shared=True),
        "cases.schema.json": schema_of(CASES, "Test cases of a mapping"),
    }
    return {name: json.dumps(schema, indent=1, ensure_ascii=False) + "\n" for name, schema in made.items()}


def reference_pages() -> Mapping[str, str]:
    """The reference pages by file name, as Markdown."""
    return {"language.md": language_page([_CASES]), "functions.md": functions_page(), "lints.md": _lints()}


def _lints() -> str:
    """The page of all lints: what each finds, why, how to mend it, an example."""
    lines = ["# What lint looks for", "", GENERATED, ""]
    lines += ["`gateway lint --explain CODE` tells the same. How to use it: [find mistakes](../how-to/lint.md).", ""]
    for each in all_lints():
        needs = {"schema": " Looks only where `--schema` or `--url` is given.", "cases": " Looks at test cases."}
        fixed = " `--fix` mends it." if each.fixable else ""
        lines += [f"## {each.code} {each.name}", ""]
        lines += [f"*{each.severity}.* {_sentence(each.why)}{needs.get(each.needs, '')}", ""]
        lines += [f"Mend: {_shown(each.mend)}.{fixed}", "", "```yaml", each.example.strip("\n"), "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{_shown(text[1:])}."


def _shown(text: str) -> str:
    """Text whose angle brackets are no HTML; those within backticks need nothing."""
    return "`".join(piece if number % 2 else piece.replace("<", "&lt;") for number, piece in enumerate(text.split("`")))


def write(files: Mapping[str, str], folder: Path) -> tuple[Path, ...]:
    """Write files into a folder, which is made where it is missing; what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tuple(folder / name for name in files)
