"""Texts of scaffolded files: YAML in flow style, and comments that are no wider than a screen."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from io import StringIO

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import SingleQuotedScalarString

__all__ = ["flow", "wrapped"]

_WIDTH = 118


def flow(value: object) -> str:
    """A value as it stands within a line of YAML: ``{a: 1}``, ``[x, y]``, ``'no'``. Texts that need quotes get them."""
    writer = YAML(typ="rt")
    writer.default_flow_style = True
    writer.width = 1 << 20
    stream = StringIO()
    writer.dump(_plain(value), stream)
    return stream.getvalue().removesuffix("\n").removesuffix("...").strip()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {_plain(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, str) and (not value or value.strip() != value or _looks_otherwise(value)):
        return SingleQuotedScalarString(value)
    return value


def _looks_otherwise(text: str) -> bool:
    """What a YAML 1.1 reader would take for a truth value; the gateway does not, people and editors might."""
    return text.lower() in ("y", "n", "yes", "no", "on", "off")


def wrapped(text: str, indent: str) -> Iterator[str]:
    """Comment lines."""
    plain = " ".join(text.split())
    yield from textwrap.wrap(plain, _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}#   ")
