"""Files that ship beside the code: in a wheel they stand inside the package, in a checkout at its root."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_home", "shipped"]

_INSIDE = Path(__file__).parent / "_shipped"
_ROOT = Path(__file__).parents[1]


def shipped(name: str) -> Path:
    """The shipped file or folder ``name``, such as ``connect/jars.yaml``; FileNotFoundError if there is none."""
    for place in (_INSIDE / name, _ROOT / name):
        if place.exists():
            return place
    raise FileNotFoundError(f"{name} is missing: this installation of the gateway is not whole; install it again")


def cache_home() -> Path:
    """Where downloads are kept unless GATEWAY_CACHE says otherwise: `.cache` of a checkout, else the user's cache."""
    if (_ROOT / "pyproject.toml").exists():
        return _ROOT / ".cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "strangler-gateway"
