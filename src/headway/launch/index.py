"""The local index of runs, and the files in which others read what was started."""

import json
import os
from pathlib import Path

from headway.errors import UsageError
from headway.store import layout
from headway.store.folder import FolderStore
from headway.store.run_records import RunRecord

#: Holds the id of the newest run of a flow, for people and scripts.
LATEST_RUN = "latest_run"


def remember_run(local_root: str, store_url: str, record: RunRecord) -> None:
    """Leave a pointer to the run in the local folder, so that a client finds it without being told where.

    Args:
        local_root: The local datastore's folder.
        store_url: The datastore that holds the run.
        record: The run's record.
    """
    index = FolderStore(local_root)
    if store_url != index.url:
        pointer = record._replace(graph={}, parameters={}, code=None, metadata={}, root=store_url)
        index.put(layout.run_record(record.flow, record.run), pointer.encode())
        index.put(layout.flow_marker(record.flow), b"")
    name_latest(local_root, record)


def name_latest(root: str, record: RunRecord) -> None:
    """Write the run's id where the newest run of its flow is looked for, ``<flow>/latest_run``.

    Args:
        root: A folder that is made if it is not there.
        record: The run's record.
    """
    folder = Path(root) / record.flow
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{LATEST_RUN}.{os.getpid()}"
    temporary.write_text(record.run)
    temporary.replace(folder / LATEST_RUN)


def run_attributes(record: RunRecord, store_url: str, **more: str) -> str:
    """What a program that started a run reads of it, as JSON: ``run_id``, ``flow_name`` and ``metadata``.

    Args:
        record: The run's record.
        store_url: The datastore that holds the run.
        **more: What else it is told, such as the ``step_name`` and ``task_id`` of a single task.
    """
    kind = store_url.partition("://")[0] if "://" in store_url else "local"
    told = {"run_id": record.run, "flow_name": record.flow, "metadata": f"{kind}@{store_url}"}
    return json.dumps({**told, **more})


def leave_word(path: str | None, option: str, text: str) -> None:
    """Write a file that others wait for: whole once it is there.

    Args:
        path: The file, None for none.
        option: The option that named it, for the error.
        text: What it holds.

    Raises:
        UsageError: It cannot be written.
    """
    if not path:
        return
    try:
        target = Path(path)
        if target.exists() and not target.is_file():
            # A pipe that somebody reads from, or /dev/stdout.
            target.write_text(text, encoding="utf-8")
            return
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(target)
    except OSError as error:
        raise UsageError(
            f"{option}={path} cannot be written: {error.strerror}.", "Name a file in a folder that is there."
        ) from error
