"""HTML pages in one file each: template in, page out; style inlined, nothing asked of the network."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

__all__ = ["render"]

_HERE = Path(__file__).parent


def render(template: str, **values: object) -> str:
    """The page made of ``pages/<template>.html`` (which extends ``base.html``) and ``values``.

    All values are escaped. UndefinedError where the template names a value that was not given; TemplateNotFound.
    """
    return _environment().get_template(f"{template}.html").render(**values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["stylesheet"] = Markup((_HERE / "style.css").read_text(encoding="utf-8"))  # noqa: S704 - our own file
    made.filters["number"] = _number
    made.filters["percent"] = _percent
    made.filters["pretty"] = _pretty
    return made


def _number(value: float) -> str:
    """1234567 as 1 234 567, with narrow no-break spaces."""
    return f"{value:,}".replace(",", "\u202f")


def _percent(part: float, whole: float, digits: int = 1) -> str:
    """What share ``part`` is of ``whole``: ``97.3 %``; a dash of nothing. Never 100 % of less than all."""
    if not whole:
        return "–"
    share = part / whole * 100
    if part < whole:
        share = min(share, 100 - 10**-digits)
    return f"{share:.{digits}f}\u202f%".replace(f".{'0' * digits}\u202f", "\u202f")


def _pretty(value: object) -> str:
    """A JSON value on several lines."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
