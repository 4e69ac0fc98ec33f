"""Findings that people accept: `# lint: ignore GW104 because …` on the line, or alone on the line before."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from gateway.mapping.lints.declare import LINTS, Finding, Lint, Severity, declared

__all__ = ["Suppression", "suppressions", "without_suppressed"]

_COMMENT = re.compile(r"(?:^|\s)#\s*lint:\s*ignore\b\s*(?P<codes>[^#]*)$")
_CODES = re.compile(r"\s*(?P<codes>GW[0-9]{3}(?:[\s,]+GW[0-9]{3})*)\s*(?:because\s+(?P<why>\S.*))?$")

WITHOUT_REASON = declared(
    Lint(
        "GW901",
        "ignored-without-reason",
        Severity.WARNING,
        "who reads it later cannot tell whether the reason still holds",
        "write: # lint: ignore GW104 because …",
        "scor: {as: score}   # lint: ignore GW104",
    )
)
IDLE = declared(
    Lint(
        "GW902",
        "ignored-in-vain",
        Severity.NOTE,
        "nothing is found there any more, and a new finding would be hidden",
        "take the comment out",
        "scor: {as: score}   # lint: ignore GW104 because it is new   (and a rule uses it)",
    )
)


@dataclass(frozen=True, slots=True)
class Suppression:
    """One comment: the line it stands on and the line it is about, its codes and its reason."""

    line: int
    about: int
    column: int
    codes: frozenset[str]
    reason: str
    excerpt: str


def suppressions(text: str) -> Iterator[Suppression]:
    """The comments of a file. A comment alone on its line is about the next line that is none."""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        match = _COMMENT.search(line)
        if match is None:
            continue
        said = _CODES.match(match["codes"])
        about = number
        if line.lstrip().startswith("#"):
            while about < len(lines) and lines[about - 1].lstrip()[:1] in ("#", ""):
                about += 1
        codes = frozenset(re.findall(r"GW[0-9]{3}", said["codes"])) if said else frozenset[str]()
        column = line.index("#", match.start()) + 1
        yield Suppression(number, about, column, codes, (said["why"] or "").strip() if said else "", line)


def without_suppressed(
    findings: Iterable[Finding], texts: Mapping[str, str], looked: Mapping[str, Collection[str]]
) -> tuple[Finding, ...]:
    """The findings without those that a comment with a reason ignores; comments without reason or use are found.

    ``looked``: by file, the codes that were looked for there; of others nobody knows whether the comment has a use.
    Errors of loading stay: what does not load cannot be accepted.
    """
    found = list(findings)
    for file, text in texts.items():
        if "lint:" not in text:
            continue
        for each in suppressions(text):
            place = (file, each.line, each.column)
            if not each.codes or not each.reason:
                what = "no code and reason" if not each.codes else "no reason"
                found.append(Finding(WITHOUT_REASON, *place, what, WITHOUT_REASON.mend, each.excerpt))
                continue
            kept = [one for one in found if not _ignores(each, file, one)]
            what = _idle(each, looked.get(file, ())) if len(kept) == len(found) else ""
            if what:
                kept.append(Finding(IDLE, *place, what, IDLE.mend, each.excerpt))
            found = kept
    return tuple(found)


def _idle(suppression: Suppression, looked: Collection[str]) -> str:
    """Why a comment that ignored nothing has no use; empty where it may have one."""
    codes = sorted(suppression.codes)
    unknown = [code for code in codes if code not in LINTS]
    if unknown:
        return f"there is no lint {', '.join(unknown)}"
    if any(code.startswith("GW0") for code in codes):
        return "errors of loading cannot be accepted"
    return f"{', '.join(codes)} is not found here" if set(codes) <= set(looked) else ""


def _ignores(suppression: Suppression, file: str, finding: Finding) -> bool:
    return (
        finding.file == file
        and finding.line in (suppression.line, suppression.about)
        and finding.lint.code in suppression.codes
        and not finding.lint.code.startswith("GW0")
    )
