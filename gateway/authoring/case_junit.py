"""A run of test cases as a JUnit report, in the form of the widely used schema of Ant's junitreport."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree

from gateway.authoring.case_runs import MappingRun, TimedCase

__all__ = ["junit"]

_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(runs: Sequence[MappingRun]) -> str:
    """The report as XML: a suite for each mapping, a test case for each case, a failure with all its differences."""
    root = ElementTree.Element("testsuites")
    for number, run in enumerate(runs):
        root.append(_suite(run, number))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(run: MappingRun, number: int) -> ElementTree.Element:
    attributes = {
        "id": str(number),
        "name": run.mapping.name,
        "package": "gateway.test",
        "hostname": "localhost",
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "tests": str(len(run.results)),
        "failures": str(len(run.failed)),
        "errors": "0",
        "time": f"{sum(timed.seconds for timed in run.results):.6f}",
    }
    suite = ElementTree.Element("testsuite", attributes)
    ElementTree.SubElement(suite, "properties")
    suite.extend(_case(run, timed) for timed in run.results)
    ElementTree.SubElement(suite, "system-out")
    ElementTree.SubElement(suite, "system-err")
    return suite


def _case(run: MappingRun, timed: TimedCase) -> ElementTree.Element:
    result = timed.result
    attributes = {"name": _text(result.case.name), "classname": run.mapping.name, "time": f"{timed.seconds:.6f}"}
    case = ElementTree.Element("testcase", attributes)
    if result.differences:
        first = _text(result.differences[0])
        failure = ElementTree.SubElement(case, "failure", {"type": "difference", "message": first})
        hints = [f"hint: {hint}" for step in timed.hints for hint in step]
        failure.text = _text("\n".join([f"{run.path}:{result.case.line}", *result.differences, *hints]))
    return case


def _text(text: str) -> str:
    """Without characters that XML cannot hold."""
    return _UNPRINTABLE.sub("\ufffd", text)
