"""Tells a person what a bundle holds: the rows of ``package list``."""

from typing import NamedTuple

from headway.launch.bundle.plan import Plan, readable


class ShippedRow(NamedTuple):
    """A file that ships: its place in the bundle, its size, the file here, its package or ""."""

    path: str
    size: str
    source: str
    package: str


class LeftOutRow(NamedTuple):
    """What does not ship, and why."""

    path: str
    rule: str


def shipped_rows(plan: Plan) -> list[ShippedRow]:
    """One row for each file, in the bundle's order."""
    return [
        ShippedRow(file.path, readable(file.size), str(file.source or "generated"), file.package)
        for file in plan.files
    ]


def left_out_rows(plan: Plan) -> list[LeftOutRow]:
    """One row for each thing left out by a rule, and one for each suffix that does not ship."""
    rows = [LeftOutRow(one.path, one.rule + (" (imported)" if one.imported else "")) for one in plan.left_out]
    for suffix, count in plan.other_suffixes.items():
        name = f"*{suffix}" if suffix else "files without a suffix"
        rows.append(
            LeftOutRow(name, f"{_count(count, 'file')}; --package-suffixes {suffix or '*'} ships them")
        )
    return rows


def summary(plan: Plan) -> str:
    """One line: how much ships, and what came from outside the flow's folder."""
    text = f"{_count(len(plan.files), 'file')}, {readable(plan.size)}"
    if plan.packages:
        text += f", with {', '.join(plan.packages)} from outside the flow's folder"
    return text


def warnings(plan: Plan) -> list[str]:
    """What the steps will probably miss: imported here, left out of the bundle."""
    return [
        f"{one.path} is imported by the flow but does not ship ({one.rule})."
        for one in plan.left_out
        if one.imported
    ]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
