"""Results as a table for a terminal, as one for a page, and summed up."""

from __future__ import annotations

from .results import Result

__all__ = ["HEAD", "line", "page", "row", "total"]

HEAD = ("fault", "tables", "strikes", "records", "aborted", "fenced", "raw dup", "missing", "extra", "reord", "torn",
         "other", "worst s", "took s")  # fmt: skip


def row(result: Result) -> str:
    cells = (
        result.fault, result.number, result.strikes, result.records, result.aborted, result.fenced,
        result.raw_duplicates, result.missing, result.extra, result.reordered, result.torn, result.others,
        f"{result.worst_recovery_s:.1f}", f"{result.seconds:.0f}",
    )  # fmt: skip
    return line(cells) + ("" if not result.failed else f"  FAILED: {result.failed.splitlines()[0][:160]}")


def line(cells: tuple[object, ...]) -> str:
    widths = (26, 10, 8, 8, 8, 7, 8, 8, 6, 6, 5, 6, 8, 7)
    first, second, *rest = (str(cell) for cell in cells)
    return f"{first:<26} {second:<10} " + " ".join(
        f"{cell:>{width}}" for cell, width in zip(rest, widths[2:], strict=True)
    )


def total(results: list[Result]) -> dict[str, object]:
    summed = ("strikes", "records", "aborted", "fenced", "raw_duplicates", "missing", "extra", "reordered", "torn")
    return {
        "faults": len(results),
        **{name: sum(getattr(one, name) for one in results) for name in summed},
        "other": sum(one.others for one in results),
        "failed": [one.fault for one in results if one.failed],
        "worst_recovery_s": max((one.worst_recovery_s for one in results), default=0.0),
    }


def page(results: list[Result]) -> str:
    """A Markdown table."""
    head = ("fault", "tables", "what", "strikes", "records", "aborted", "fenced", "raw duplicates", "missing", "extra",
            "reordered", "torn", "other", "worst recovery", "commit")  # fmt: skip
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * 3}{' ---: |' * (len(head) - 4)} --- |"]
    for one in results:
        cells = (
            f"`{one.fault}`", one.number, one.what, f"{one.strikes:,}", f"{one.records:,}", f"{one.aborted:,}",
            f"{one.fenced:,}", f"{one.raw_duplicates:,}", one.missing, one.extra, one.reordered, one.torn, one.others,
            f"{one.worst_recovery_s:.1f} s", one.commit,
        )  # fmt: skip
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)
