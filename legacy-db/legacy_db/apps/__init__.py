"""The legacy applications, and how further ones are found."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

from legacy_db.application import Application
from legacy_db.apps import (
    address_cleansing,
    back_office,
    billing,
    call_centre,
    claims_desk,
    dba,
    duplicates,
    geo_enrichment,
    habits,
    old_batch,
    policy_admin,
    privacy,
    web_portal,
)

__all__ = ["BUILT_IN", "applications"]

BUILT_IN: tuple[Application, ...] = tuple(
    application
    for module in (
        call_centre,
        web_portal,
        back_office,
        policy_admin,
        geo_enrichment,
        address_cleansing,
        duplicates,
        privacy,
        billing,
        claims_desk,
        old_batch,
        dba,
        habits,
    )
    for application in module.APPLICATIONS
)


def applications(folder: str | None = None) -> Sequence[Application]:
    """The built-in applications and those of `folder` (default: GATEWAY_APPLICATIONS), a folder of Python files.

    Each file must have a list `APPLICATIONS`. Raises ValueError, naming the file, if one has not.
    """
    folder = folder if folder is not None else os.environ.get("GATEWAY_APPLICATIONS")
    found = list(BUILT_IN)
    for path in sorted(Path(folder).glob("*.py")) if folder else []:
        found += _load(path)
    return found


def _load(path: Path) -> Sequence[Application]:
    spec = importlib.util.spec_from_file_location(f"legacy_application_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    known = getattr(module, "APPLICATIONS", None)
    if not isinstance(known, list) or not all(isinstance(each, Application) for each in known):
        raise ValueError(f"{path}: must define APPLICATIONS, a list of legacy_db.application.Application")
    return known
