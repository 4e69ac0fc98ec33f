"""A project of one's own: the files that `gateway init` writes."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from gateway.authoring.editor import schemas
from gateway.model.errors import ConfigError
from gateway.shipped import shipped

__all__ = ["write_project"]

_FILES = Path(__file__).parent / "project_files"
_ELSEWHERE = {"gitignore": ".gitignore", "github/workflows.yml": ".github/workflows/mappings.yml"}
_SHIPPED = ("connect", "ops")
_EXAMPLE = ("mappings/",)
_LEGACY_SCHEMA = "./legacy-db/legacy_db/schema.sql"


def write_project(folder: Path, *, example: bool = True, force: bool = False) -> tuple[Path, ...]:
    """Write a new project into ``folder``; its files, in order, relative to it.

    ConfigError: something of it is there already, and not ``force``.
    """
    files = dict(_project(folder.absolute().name, example=example))
    there = [name for name in files if (folder / name).exists()]
    if there and not force:
        raise ConfigError(
            f"{len(there)} of its files are there already: {', '.join(there[:5])}{', …' if len(there) > 5 else ''}",
            where=str(folder),
            hint="choose a new folder, or say --force to write over them",
        )
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if not example:
        (folder / "mappings").mkdir(exist_ok=True)
    return tuple(Path(name) for name in files)


def _project(name: str, *, example: bool) -> Iterator[tuple[str, str]]:
    for place, text in _texts(_FILES):
        if example or not place.startswith(_EXAMPLE):
            filled = text.replace("@PROJECT@", name).replace("@VERSION@", version("strangler-gateway"))
            yield _ELSEWHERE.get(place, place), filled
    for folder in _SHIPPED:
        yield from ((f"{folder}/{place}", text) for place, text in _texts(shipped(folder)))
    compose = shipped("docker-compose.yml").read_text(encoding="utf-8")
    assert compose.count(_LEGACY_SCHEMA) == 1, "the Compose file seeds the legacy database in one place"
    yield "docker-compose.yml", compose.replace(_LEGACY_SCHEMA, "./legacy.sql")
    yield from ((f"schema/{place}", text) for place, text in schemas().items())


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8")
