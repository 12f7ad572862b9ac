"""What a pod finds out about an attempt: whether it may begin, why it failed, what is known of where it ran."""

import json
import os
import sys
import time
from typing import Any, Callable, Dict, Optional

from headway.errors import KeyNotFoundError
from headway.runtime import usage
from headway.runtime.attempt import unreported
from headway.runtime.logbook import StampedLine
from headway.runtime.supervisor import Ended
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.batch import Batch, TaskSpec
from headway.store.records import INFRASTRUCTURE, OUT_OF_MEMORY, RESOURCES, USER, AttemptRef, Failure

#: Where Kubernetes reads the last words of a container.
_LAST_WORDS = "/dev/termination-log"

#: How long the claim of a launcher lasts that does not renew it, and how often one that is watched is looked at.
_CLAIM_LASTS, _LOOK = 60.0, 5.0

_METADATA = {
    "kubernetes-pod-name": "HEADWAY_POD_NAME",
    "kubernetes-pod-namespace": "HEADWAY_POD_NAMESPACE",
    "kubernetes-pod-id": "HEADWAY_POD_UID",
    "kubernetes-pod-service-account-name": "HEADWAY_SERVICE_ACCOUNT",
    "kubernetes-node-name": "HEADWAY_NODE_NAME",
    "kubernetes-node-ip": "HEADWAY_NODE_IP",
}


def refusal_of(
    store: ObjectStore, batch: Batch, task: TaskSpec, now: float, pause: Callable[[float], None] = time.sleep
) -> str:
    """Why this attempt must not start, "" where it may: it is over already, or nobody waits for it any more."""
    if store.size(layout.record(batch.flow, batch.run, batch.step, task.task, task.attempt)) is not None:
        return "This attempt has a result already; nothing is run twice."
    if store.size(layout.run_end(batch.flow, batch.run)) is not None:
        return "The run has ended; this attempt is no longer wanted."
    held = _lease(store, batch)
    orphaned = now - float(held.get("expires", now))
    # That is its launcher's clock against this pod's: only watching it tells.
    if orphaned > batch.orphan_limit and not _is_renewed(store, batch, held, pause):
        return f"No launcher has held this run for {orphaned / 60:.0f} minutes; this attempt is no longer wanted."
    return ""


def _lease(store: ObjectStore, batch: Batch) -> Dict[str, Any]:
    """The launcher's claim on the run as it stands, empty where there is none."""
    try:
        said = json.loads(store.get(layout.lease(batch.flow, batch.run)))
    except (KeyNotFoundError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _is_renewed(
    store: ObjectStore, batch: Batch, held: Dict[str, Any], pause: Callable[[float], None]
) -> bool:
    """Whether a launcher renews its claim within the time that one lasts; not where it gave the run back."""
    known = held
    for _ in range(round(_CLAIM_LASTS / _LOOK)):
        if known.get("released"):
            return False
        if known != held:
            return True
        pause(_LOOK)
        known = _lease(store, batch)
    return False


def echo(line: StampedLine) -> None:
    """Show a line in the container's own log, for `kubectl logs`; the datastore's log does not depend on it."""
    try:
        os.write(2 if line.stream == "stderr" else 1, line.text + b"\n")
    except OSError:
        return


def failure_of(batch: Batch, ended: Ended, out_of_memory: bool, taken: str = "") -> Optional[Failure]:
    """Why the attempt failed, from what the process said and how it ended.

    Args:
        batch: The batch the attempt belongs to.
        ended: How its process ended.
        out_of_memory: Whether the kernel killed something in the container for want of memory.
        taken: When the machine goes, where the pod was told to end for that.
    """
    said = ended.report.failure if ended.report else None
    if ended.report is not None and said is None:
        return None
    if ended.expired == "timeout":
        return Failure(
            USER,
            "Timeout",
            f"Step {batch.step} was killed: it went on for {batch.grace:g} seconds after its @timeout.",
            "Something in the step catches every exception or blocks in native code.",
        )
    if out_of_memory and (said is None or said.reason != "Timeout"):
        return _out_of_memory(batch, ended, said)
    if ended.terminated:
        return _terminated(batch, ended, said, taken)
    return said or unreported(batch.step, ended.code, ended.signal)


def _out_of_memory(batch: Batch, ended: Ended, said: Optional[Failure]) -> Failure:
    # Without a limit Kubernetes says here what the whole node has.
    limit = 0 if usage.unlimited() else _megabytes("HEADWAY_MEMORY_LIMIT")
    asked = _megabytes("HEADWAY_MEMORY_REQUEST")
    # Pages are counted in packs: a container may seem to have held a little more than it may.
    peak = (usage.peak_memory() or ended.peak) // 1_000_000
    peak = min(peak, limit or peak)
    held = max(peak, asked or limit)
    enough = usage.after_kill(min(limit or held, held))
    where = f"the kernel killed it at the container's limit of {limit} MB (it had held up to {peak} MB)"
    if not limit:
        wanted = f", and had asked for {asked} MB" if asked else ""
        where = (
            "its node had no more, and the kernel killed it, as nothing else limits it "
            f"(it had held up to {peak} MB{wanted})"
        )
    return Failure(
        RESOURCES,
        OUT_OF_MEMORY,
        f"Step {batch.step} ran out of memory: {where}.",
        f"Ask for more with @kubernetes(memory={enough}) or @resources(memory={enough}), or in resources= where "
        "that says it, or hold less at a time; @retry(on_oom=2) raises memory= by itself.",
        said.traceback if said else "",
        said.type if said else "",
    )


def _megabytes(variable: str) -> int:
    """What Kubernetes says in bytes; 0 where it says nothing."""
    said = os.environ.get(variable, "")
    return int(said) // 1_000_000 if said.isdigit() else 0


def _terminated(batch: Batch, ended: Ended, said: Optional[Failure], taken: str) -> Failure:
    if ended.expired == "grace":
        how = f"was killed when its grace of {batch.grace:g} seconds was over"
    elif ended.signal is not None:
        how = "ended at that signal"
    else:
        how = f"then exited with code {ended.code}"
    why = (
        f"The pod's machine goes at {taken}: its step was told to end"
        if taken
        else "The pod was asked to stop"
    )
    return Failure(
        INFRASTRUCTURE,
        "SpotTermination" if taken else "Terminated",
        f"{why} (SIGTERM) while step {batch.step} ran; the step {how}.",
        "",
        said.traceback if said else "",
        said.type if said else "",
    )


def metadata_of(ended: Ended) -> Dict[str, str]:
    facts = {name: os.environ[variable] for name, variable in _METADATA.items() if os.environ.get(variable)}
    facts["python-version"] = "{}.{}.{}".format(*sys.version_info[:3])
    facts["peak-memory"] = str(ended.peak)
    facts["cpu-seconds"] = f"{ended.cpu:.3f}"
    if os.environ.get("METAFLOW_KUBERNETES_FETCH_EC2_METADATA"):
        from headway.runtime.ec2 import instance_facts  # for those who ask for them only

        facts.update(instance_facts())
    return facts


def last_words(reason: str, message: str, hint: str) -> None:
    """What the launcher reads from the container's state where there is no record."""
    # Kubernetes keeps 4,096 bytes, and what is cut is no JSON any more; a character takes up to four.
    _leave_words({"headway": 1, "reason": reason, "message": message[:600], "hint": hint[:350]})


def running_words(ref: Optional[AttemptRef]) -> None:
    """Which of a warm pod's attempts runs now: should the container be killed as a whole, that one answers for it."""
    _leave_words({"headway": 1, "running": ref})


def _leave_words(said: Dict[str, Any]) -> None:
    words = json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")
    try:
        with open(os.environ.get("HEADWAY_TERMINATION_LOG", _LAST_WORDS), "wb") as file:
            file.write(words)
    except OSError:
        return
