"""What `gateway test --watch` waits for, and which mappings a change affects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event

from watchfiles import watch

from gateway.authoring.case_files import cases_beside
from gateway.mapping.compiled import CompiledMapping

__all__ = ["affected", "changes"]

_SUFFIXES = (".yaml", ".avsc")


def changes(folder: Path, stop: Event | None = None) -> Iterator[frozenset[Path] | None]:
    """None at once, then the files of each batch of changes under ``folder`` (none now and then: nothing happened).

    Ends when ``stop`` is set. KeyboardInterrupt: the user has seen enough.
    """
    yield None
    batches = watch(
        folder,
        stop_event=stop,
        watch_filter=lambda _, path: path.endswith(_SUFFIXES),
        debounce=300,
        rust_timeout=500,
        yield_on_timeout=True,
    )
    for batch in batches:
        yield frozenset(Path(path) for _, path in batch)


def affected(
    changed: frozenset[Path], folder: Path, loaded: Sequence[CompiledMapping], names: Sequence[str]
) -> list[str]:
    """The mappings to run again, of those named (all if none is): a shared or unknown file touches every one."""
    files = {path.resolve() for path in changed}
    chosen = [one.name for one in loaded if not names or one.name in names]
    own = {name: _files(folder, mapping) for mapping in loaded for name in [mapping.name]}
    if files - set().union(*own.values()):
        return chosen
    return [name for name in chosen if own[name] & files]


def _files(folder: Path, mapping: CompiledMapping) -> set[Path]:
    """The mapping, its cases and its contracts."""
    path = (folder / mapping.file).resolve()
    contracts = path.parent / "events"
    return {path, cases_beside(folder, mapping.file).resolve(), *contracts.glob("*.avsc")}
