"""``doctor``: what a run needs and whether it is there, a line each."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from headway.cli import errors
from headway.cli.embedded import home_folder, names_cluster, will_use_embedded_cluster
from headway.cli.program import Program
from headway.config.general import is_on, name_store
from headway.config.sources import Configuration
from headway.errors import UsageError
from headway.executors.kubernetes.findings import BAD, GOOD, POOR
from headway.launch.doctor import ANY_RUN, Examination, examine
from headway.launch.request import RunRequest
from headway.ui.plain import Writer

_MARKS = {GOOD: ("ok  ", "good"), POOR: ("warn", ""), BAD: ("FAIL", "bad")}


def doctor_of_flow(
    this: Program, *, late: Sequence[str], overrides: Sequence[str], inside: bool, forward_credentials: bool
) -> None:
    """Look at what this flow needs."""
    graph = this.graph(tuple(late))
    wants = any(node.decorator("kubernetes") for node in graph)
    embedded = (
        will_use_embedded_cluster(this, graph) if wants else not names_cluster(os.environ, home_folder())
    )
    request = RunRequest(
        graph,
        this.origin,
        datastore=this.options.datastore,
        datastore_root=this.options.datastore_root,
        forward_credentials=forward_credentials or is_on(this.configuration, "FORWARD_CREDENTIALS"),
        overrides=this.overrides(overrides),
        branch=this.options.branch,
        production=this.options.production,
    )
    report(Examination(this.configuration, request, embedded, inside), this.write)


def doctor(flow: str | None, rest: Sequence[str], *, inside: bool, write: Writer) -> None:
    """Look at what any flow needs, or have a flow's file look at what it needs."""
    if flow is not None:
        if not Path(flow).is_file():
            raise UsageError(f"There is no file {flow}.", "Type: headway doctor flow.py")
        words = [sys.executable, flow, "doctor", *rest, *([] if inside else ["--no-inside"])]
        sys.exit(subprocess.run(words, check=False).returncode)
    configuration = Configuration.load(os.environ, Path.cwd())
    name_store(configuration)
    request = replace(ANY_RUN, forward_credentials=is_on(configuration, "FORWARD_CREDENTIALS"))
    embedded = not names_cluster(os.environ, home_folder())
    report(Examination(configuration, request, embedded=embedded, inside=inside), write)


def report(examination: Examination, write: Writer) -> None:
    """Print each finding as it comes; exits with 1 where a run would fail."""
    worst = asyncio.run(_report(examination, write))
    if worst == BAD:
        sys.exit(errors.FAILED)


async def _report(examination: Examination, write: Writer) -> str:
    grades: list[str] = []
    async for finding in examine(examination):
        mark, style = _MARKS[finding.grade]
        write(f"{mark}  {finding.what}", style=style)
        if finding.hint:
            write(f"      {finding.hint}")
        grades.append(finding.grade)
    bad = grades.count(BAD)
    if bad:
        write(f"{bad} thing{'s' if bad > 1 else ''} would make a run fail.", error=True, style="bad")
        return BAD
    if POOR in grades:
        write("Nothing was found that would make a run fail; see what is marked warn.", error=True)
        return POOR
    write("All is there that a run needs.", error=True, style="good")
    return GOOD
