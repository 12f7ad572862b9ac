"""Where everything stands in a datastore: the keys of layout version 1, relative to the root.

::

    v1/flows/<flow>                                   a marker, so that flows can be listed
    v1/<flow>/runs/<run>.json                         run record, created once
    v1/<flow>/run/<run>/end.json                      how the run ended, created once
    v1/<flow>/run/<run>/tags.json                     the tags people gave it, once changed; replaced likewise
    v1/<flow>/run/<run>/stop.json                     somebody asks the launcher to stop
    v1/<flow>/run/<run>/lease.json                    the launcher's claim, replaced by compare-and-swap
    v1/<flow>/run/<run>/journal/<8 digits>.json       the launcher's decisions, window by window
    v1/<flow>/run/<run>/batch/<batch>.json            what was started together: what the pods of one Job are to do
    v1/<flow>/run/<run>/batch/<batch>/<5 digits>.json   the same in parts, if it is no gang and has more than 256 tasks:
                                                      each a batch of the next 256; where the first is, all are
    v1/<flow>/run/<run>/inbox/<worker>/<8 digits>.json   what a warm pod is to do next, or that it has left
    v1/<flow>/run/<run>/gang/<batch>/<5 digits>       a rank of a gang is there, with its address
    v1/<flow>/run/<run>/gang/<batch>/verdict          created once: all ranks begin, or none does
    v1/<flow>/run/<run>/feed/<ms>.<step>.<task>.<attempt>.<n>.<kind>   what pods report while they run
    v1/<flow>/run/<run>/heart/<step>.<task>.<attempt>.json   when a pod was last alive, written over and over
    v1/<flow>/run/<run>/task/<step>/<task>/<attempt>/record.json   the commit: its creation is the truth
    v1/<flow>/run/<run>/task/<step>/<task>/<attempt>/stdout.log    its log, stamped lines, whole
    v1/<flow>/run/<run>/task/<step>/<task>/<attempt>/stderr.log
    v1/<flow>/data/<2 hex>/<sha256>                   artifacts, by content; small ones are in the record
    v1/<flow>/code/<sha256>                           bundles of code, by content
    v1/<flow>/packages/<2 hex>/<sha256>               packages for steps: lists of parts, and parts, by content

Steps, flows and ids never hold a slash or a dot. This module runs in pods.
"""

from typing import Tuple

VERSION = "v1"

#: Tasks in one part of a stored batch.
BATCH_PART = 256


def flow_marker(flow: str) -> str:
    return f"{VERSION}/flows/{flow}"


def runs(flow: str) -> str:
    return f"{VERSION}/{flow}/runs/"


def run_record(flow: str, run: str) -> str:
    return f"{runs(flow)}{run}.json"


def run_folder(flow: str, run: str) -> str:
    return f"{VERSION}/{flow}/run/{run}/"


def run_end(flow: str, run: str) -> str:
    return run_folder(flow, run) + "end.json"


def tags(flow: str, run: str) -> str:
    return run_folder(flow, run) + "tags.json"


def lease(flow: str, run: str) -> str:
    return run_folder(flow, run) + "lease.json"


def stop(flow: str, run: str) -> str:
    return run_folder(flow, run) + "stop.json"


def journal(flow: str, run: str) -> str:
    return run_folder(flow, run) + "journal/"


def batch(flow: str, run: str, name: str) -> str:
    return f"{run_folder(flow, run)}batch/{name}.json"


def batch_parts(flow: str, run: str, name: str) -> str:
    return f"{run_folder(flow, run)}batch/{name}/"


def batch_part(folder: str, number: int) -> str:
    return f"{folder}{number:05d}.json"


def task_place(batch: str, index: int) -> Tuple[str, int]:
    """The object that says what the task of this index is to do, and its place in there.

    Args:
        batch: Where its batch is stored: one object, or the folder with its parts.
        index: Its index in the whole batch.
    """
    if not batch.endswith("/"):
        return batch, index
    number, place = divmod(index, BATCH_PART)
    return batch_part(batch, number), place


def inbox(flow: str, run: str, worker: str) -> str:
    return f"{run_folder(flow, run)}inbox/{worker}/"


def gang(flow: str, run: str, batch: str) -> str:
    return f"{run_folder(flow, run)}gang/{batch}/"


def feed(flow: str, run: str) -> str:
    return run_folder(flow, run) + "feed/"


def hearts(flow: str, run: str) -> str:
    return run_folder(flow, run) + "heart/"


def heart(flow: str, run: str, step: str, task: str, attempt: int) -> str:
    return f"{hearts(flow, run)}{step}.{task}.{attempt}.json"


def tasks(flow: str, run: str) -> str:
    return run_folder(flow, run) + "task/"


def step_folder(flow: str, run: str, step: str) -> str:
    return f"{tasks(flow, run)}{step}/"


def attempt_folder(flow: str, run: str, step: str, task: str, attempt: int) -> str:
    return f"{step_folder(flow, run, step)}{task}/{attempt}/"


def record(flow: str, run: str, step: str, task: str, attempt: int) -> str:
    return attempt_folder(flow, run, step, task, attempt) + "record.json"


def log(flow: str, run: str, step: str, task: str, attempt: int, stream: str) -> str:
    return f"{attempt_folder(flow, run, step, task, attempt)}{stream}.log"


def blob(flow: str, sha256: str) -> str:
    return f"{VERSION}/{flow}/data/{sha256[:2]}/{sha256}"


def code(flow: str, sha256: str) -> str:
    return f"{VERSION}/{flow}/code/{sha256}"


def packages(flow: str, sha256: str) -> str:
    return f"{VERSION}/{flow}/packages/{sha256[:2]}/{sha256}"
