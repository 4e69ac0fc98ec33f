"""The templates of ``connect/``, filled in: the connector's configuration and the administrator's SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from gateway.model.errors import ConfigError
from gateway.services.capture_database import Superfluous
from gateway.services.capture_plan import CapturePlan
from gateway.services.capture_settings import CaptureSettings

__all__ = ["DatabaseAddress", "connector_config", "database_script", "ident"]


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """Where Kafka Connect finds the legacy database, and the capture role's password."""

    host: str
    port: int
    name: str
    password: str


def connector_config(
    folder: Path, plan: CapturePlan, settings: CaptureSettings, database: DatabaseAddress
) -> Mapping[str, str]:
    """The connector's configuration as Connect takes it, from ``connector.yaml`` and ``options`` over it.

    Raises ConfigError: the template cannot be filled in, or gives no map of texts.
    """
    text = _fill(folder, "connector.yaml", plan=plan, settings=settings, database=database)
    # BaseLoader: every value stays the text that stands there.
    tree = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - constructs text, lists, maps only
    if not isinstance(tree, dict) or not all(isinstance(value, str) for value in tree.values()):
        raise ConfigError("not one text for each option", where=str(folder / "connector.yaml"))
    return {**tree, **settings.options}


def database_script(
    folder: Path, plan: CapturePlan, *, database: str, password: str = "", revoked: Superfluous | None = None
) -> str:
    """The SQL that makes role, grants, replica identities and publication what ``plan`` says.

    ``revoked``: what the role may use today and should not. Without ``password`` the role's own stays.
    """
    names = [table.name for table in plan.tables]
    schemas = sorted({name.partition(".")[0] for name in names})
    return _fill(
        folder,
        "database.sql",
        plan=plan,
        database=database,
        password=password,
        tables=names,
        schemas=schemas,
        revoked=revoked or Superfluous(),
    )


def _fill(folder: Path, name: str, **values: object) -> str:
    environment = Environment(  # noqa: S701 - makes YAML and SQL, where each value is quoted by a filter
        loader=FileSystemLoader(folder), undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    environment.filters.update(ident=ident, literal=_literal)
    try:
        return environment.get_template(name).render(**values)
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        where = f"{folder / name}:{line}" if line else str(folder / name)
        raise ConfigError(f"the template cannot be filled in: {error}", where=where) from error


def ident(name: str) -> str:
    """A quoted identifier; a dot parts schema and table."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
