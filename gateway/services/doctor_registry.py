"""The schema registry: are the contracts there, and would it refuse one that breaks a reader?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.services.doctor_report import Area, AreaReport, Finding, Severity
from gateway.services.schemas import COMPATIBILITY, Contract, ContractRegistry, check_registered

__all__ = ["Subject", "examine_registry", "subjects"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What the registry has of one contract. ``breaks``: what the contract's file would break, as text with places."""

    level: str
    versions: int
    registered: bool
    breaks: tuple[str, ...] = ()


def subjects(registry: ContractRegistry, contracts: Sequence[Contract]) -> Mapping[str, Subject]:
    """Ask the registry about each contract's subject. DependencyError: it is away; ConfigError: it refuses."""
    found = {}
    for contract in contracts:
        known = registry.versions(contract.subject)
        registered = contract.current.schema in known.values()
        faults = () if registered or not known else check_registered(registry, [contract])
        level = registry.compatibility(contract.subject) if known else ""
        found[contract.subject] = Subject(level, len(known), registered, tuple(map(str, faults)))
    return found


def examine_registry(contracts: Sequence[Contract], found: Mapping[str, Subject]) -> AreaReport:
    """Every finding about subjects and their levels. Pure."""
    findings = [finding for contract in contracts for finding in _subject(contract, found[contract.subject])]
    bad = {one.object for one in findings}
    well = sum(f"subject {one.subject}" not in bad for one in contracts)
    fine = (f"{well} of {len(contracts)} contracts are registered, each under {COMPATIBILITY}",) if well else ()
    return AreaReport(Area.REGISTRY, tuple(findings), fine)


def _subject(contract: Contract, subject: Subject) -> Iterator[Finding]:
    where = f"subject {contract.subject}"
    if not subject.versions:
        reason = "it does not exist: workers refuse to start, for nothing is registered at run time"
        yield Finding(Severity.ERROR, where, reason, "gateway schemas push")
        return
    if subject.breaks:
        told = "\n".join(subject.breaks)
        reason = f"{contract.current.file} would break its readers:\n{told}"
        yield Finding(Severity.ERROR, where, reason, "mend the contract, or give it a new major version")
    elif not subject.registered:
        reason = f"{contract.current.file} is not among its {subject.versions} versions: workers refuse to start"
        yield Finding(Severity.ERROR, where, reason, "gateway schemas check, then gateway schemas push")
    if subject.level != COMPATIBILITY:
        level = subject.level or "the registry's default"
        reason = f"its compatibility is {level}, not {COMPATIBILITY}: a version that breaks readers would be taken"
        yield Finding(Severity.ERROR, where, reason, _set(contract.subject))


def _set(subject: str) -> str:
    body = f'{{"compatibility":"{COMPATIBILITY}"}}'
    return f"gateway schemas push  # or: curl -X PUT <registry>/config/{subject} --json '{body}'"
