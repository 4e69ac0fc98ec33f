"""What a rollout would change, and every reason to refuse it before anything is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.bridge.commands import Command
from gateway.mapping.compiled import CompiledMapping
from gateway.mapping.lints.declare import Severity
from gateway.mapping.lints.report import as_text
from gateway.mapping.lints.run import lint_folder
from gateway.mapping.loader import load
from gateway.model.errors import ConfigError
from gateway.services.rollout import Standing
from gateway.services.rule_versions import RuleVersion, version_of_folder

__all__ = ["Candidate", "Judge", "Plan", "compare"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """New rules: their version, or None where they do not load; ``faults``: why they cannot be rolled out."""

    version: RuleVersion | None
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """``changes``: digest now and then by raw topic, only where they differ."""

    now: str | None
    version: str | None
    changes: Mapping[str, tuple[str, str]]
    refused: tuple[str, ...]


class Judge:
    """Looks at rules before they are rolled out. ``check``: raises ConfigError where they cannot be used here."""

    def __init__(
        self,
        full: Callable[[str], str],
        check: Callable[[Sequence[CompiledMapping]], None],
        check_stored: Callable[[Command], object],
    ) -> None:
        self._full, self._check, self._check_stored = full, check, check_stored

    def candidate(self, folder: Path) -> Candidate:
        """The rules of a folder, with every reason against them. DependencyError: registry or broker is away."""
        try:
            mappings = load(folder)
            version = version_of_folder(folder, mappings, self._full)
        except ConfigError as error:
            return Candidate(None, (str(error),))
        faults = [as_text(one, one.file) for one in lint_folder(folder) if one.lint.severity is Severity.ERROR]
        try:
            self._check(mappings)
        except ConfigError as error:
            faults.append(str(error))
        return Candidate(version, tuple(faults))

    def check_way_back(self, standing: Standing) -> None:
        """ConfigError: there is nothing to go back to, or it cannot be used any more."""
        committed = standing.history.committed()
        if committed:
            stored = standing.history.stored(committed[-1].before)
            if stored is None:
                raise ConfigError(f"the version {committed[-1].before} is not in the control log")
            self._check_stored(stored)


def compare(candidate: Candidate, standing: Standing) -> Plan:
    """Hold the new rules against what is in force."""
    refused = list(candidate.faults)
    now = standing.in_force
    if now is None:
        refused.append(
            "it is not known which rules are in force: run the workers, all with one folder, until they settle"
        )
    stored = standing.history.stored(now) if now else None
    old = dict(stored.digests) if stored else {}
    new = dict(candidate.version.digests) if candidate.version else {}
    read = {topic for one in standing.history.versions()[-1:] for topic in one.digests}  # by the workers, since a start
    if read and new and read != new.keys():
        differ = ", ".join(sorted(read ^ new.keys()))
        refused.append(f"the raw topics are not the same ({differ}): start the workers with the new folder first")
    changes = {topic: (old.get(topic, ""), new[topic]) for topic in sorted(new) if old.get(topic) != new[topic]}
    return Plan(now, candidate.version.name if candidate.version else None, changes if new else {}, tuple(refused))
