"""Safe fixes: an item taken out of a list, a key with its value out of a map; the rest of the text is left as it is."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.mapping.lints.declare import Fix
from gateway.mapping.lints.layout import Layout

__all__ = ["fixed"]


def fixed(text: str, fixes: Iterable[Fix]) -> tuple[str, int]:
    """The text without what the fixes take out, and how many were done: those that would leave nothing are not."""
    done = 0
    for fix in sorted(set(fixes), key=lambda each: (each.mark.line, each.mark.column), reverse=True):
        layout = Layout.of(text)
        span = None if layout is None else layout.removal(fix.kind, fix.mark)
        if span is not None:
            text = text[: span.start] + text[span.end :]
            done += 1
    return text, done
