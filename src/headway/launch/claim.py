"""A run comes to be: its id, its record, its parameters; anew or from an earlier run's."""

import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from headway.errors import UsageError
from headway.flow.graph import Graph
from headway.launch.clones import BlobCopier
from headway.launch.git import git_facts
from headway.launch.parameters import store_parameters
from headway.launch.past import PastRun
from headway.launch.run_ids import claim_named_run, claim_run
from headway.runtime.commit import commit, origin_facts
from headway.runtime.state import PARAMETERS
from headway.store import layout
from headway.store.artifacts import ArtifactStore
from headway.store.base import ObjectStore
from headway.store.batch import Code, Project
from headway.store.records import SUCCEEDED, ArtifactRef, Record
from headway.store.run_records import TRIGGERS, RunRecord
from headway.version import VERSION

#: What a run's metadata says of how it was resumed.
RESUME_STEP, RESUME_IDENTIFIER = "resume-step", "resume-identifier"

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


class Resumption(Struct, frozen=True):
    """That a run is to go on from where an earlier one stands.

    Attributes:
        past: The earlier run.
        step: The step from which on all is run again, None for what has not succeeded.
        run_id: ``--run-id``: the new run's id, None for one of ours.
        clone_only: ``--clone-only``: take over what is there and run nothing.
        identifier: ``--resume-identifier``, kept with the run.
    """

    past: PastRun
    step: str | None = None
    run_id: str | None = None
    clone_only: bool = False
    identifier: str | None = None


class NewRun(NamedTuple):
    """What a run is made of.

    Attributes:
        graph: Its graph.
        user: Who runs it.
        tags: Its tags.
        code: How its code was started.
        parameters: Values by name; of a run that is resumed those that the earlier run has not.
        given: The parameters as text, for people.
        folder: The folder that holds the code here, None where there is none.
        project: Its project, if it has one.
        triggers: What it was started by, as text.
        runtime: The name of what starts it: ``dev``, or a scheduler's.
    """

    graph: Graph
    user: str
    tags: tuple[str, ...]
    code: Code
    parameters: Mapping[str, object]
    given: Mapping[str, str]
    folder: Path | None = None
    project: Project | None = None
    triggers: str = ""
    runtime: str = "dev"


def claim(store: ObjectStore, new: NewRun, launcher: str, resumed: Resumption | None) -> RunRecord:
    """Give the run its id and record, and store its parameters.

    Args:
        store: Its datastore.
        new: What it is made of.
        launcher: The launcher's id.
        resumed: What it goes on from, if anything.

    Raises:
        UsageError: There is a run of the wanted id already.
    """
    flow = new.graph.name
    # What cannot be stored is found out before there is a run.
    artifacts = store_parameters(ArtifactStore(store, flow), new.parameters)
    facts: dict[str, str] = {}
    if resumed is not None:
        artifacts = {**_earlier_parameters(store, resumed.past), **artifacts}
        facts = origin_facts(resumed.past.run, PARAMETERS.task, PARAMETERS.attempt)
    record = _record(new, resumed)
    if resumed is not None and resumed.run_id is not None:
        record = claim_named_run(store, record._replace(run=resumed.run_id), launcher)
    else:
        record = claim_run(store, record, launcher)
    store.put(layout.flow_marker(flow), b"")
    now = time.time()
    parameters = Record(PARAMETERS, SUCCEEDED, artifacts=artifacts, metadata=facts, started=now, ended=now)
    commit(store, flow, record.run, parameters)
    return record


def check_run_id(run_id: str) -> None:
    """Refuse an id that could be taken for one of ours, or that cannot be part of a key.

    Raises:
        UsageError: It is one of these.
    """
    if run_id.isdigit():
        raise UsageError(
            f"--run-id={run_id} is not possible: ids of digits are given by Headway.",
            "Give it a name: --run-id nightly-7.",
        )
    if not _RUN_ID.fullmatch(run_id):
        raise UsageError(
            f"--run-id={run_id!r} is not possible: letters, digits, - and _ are allowed, 128 at most.",
            "Give it a name: --run-id nightly-7.",
        )


def _earlier_parameters(store: ObjectStore, past: PastRun) -> dict[str, ArtifactRef]:
    artifacts = past.parameters().artifacts
    BlobCopier(past, store)(artifacts.values())
    return artifacts


def _record(new: NewRun, resumed: Resumption | None) -> RunRecord:
    metadata = {"headway_version": VERSION, "script-name": new.code.main, "runtime": "dev"}
    if new.folder is not None:
        metadata.update(git_facts(new.folder))
    if new.triggers:
        metadata[TRIGGERS] = new.triggers
    given = dict(new.given)
    if resumed is not None:
        given = {**resumed.past.record.parameters, **given}
        if resumed.step is not None:
            metadata[RESUME_STEP] = resumed.step
        if resumed.identifier is not None:
            metadata[RESUME_IDENTIFIER] = resumed.identifier
    return RunRecord(
        flow=new.graph.name,
        run="",
        user=new.user,
        created=time.time(),
        tags=new.tags,
        system_tags=_system_tags(new),
        graph=new.graph.to_json(),
        parameters=given,
        code=new.code,
        metadata=metadata,
        origin=resumed.past.run if resumed is not None else None,
    )


def _system_tags(new: NewRun) -> tuple[str, ...]:
    project = new.project
    tags = (f"project:{project.name}", f"project_branch:{project.branch}") if project else ()
    python = sys.version.split()[0]
    return (
        *tags,
        f"user:{new.user}",
        f"runtime:{new.runtime}",
        f"python_version:{python}",
        f"headway_version:{VERSION}",
        # What Metaflow's tools filter by; the same that `metaflow.__version__` says (docs/decisions).
        f"metaflow_version:{VERSION}",
    )
