"""The local index of runs: what this machine started, wherever its data is."""

import os
from pathlib import Path

from headway.store import layout
from headway.store.folder import FolderStore
from headway.store.records import RunRecord

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
    folder = Path(local_root) / record.flow
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{LATEST_RUN}.{os.getpid()}"
    temporary.write_text(record.run)
    temporary.replace(folder / LATEST_RUN)
