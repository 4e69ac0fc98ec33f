"""How a command shows examples beneath its options."""

from __future__ import annotations

__all__ = ["examples"]


def examples(*lines: str) -> str:
    """The epilog of a command's help; each line is a command as one would type it, behind two blanks what it does."""
    return "\n\n".join(("Examples:", *(f"  {line}" for line in lines)))
