"""What readers are told of local attempts before these have records: which they are and where they stand."""

from headway.errors import StoreError
from headway.store import layout
from headway.store.base import ObjectStore
from headway.store.batch import Batch, Code


def make_known(store: ObjectStore, batch: Batch) -> None:
    """Write down which attempts were started together, for the client to find them while they run.

    Where that fails they are found once they have ended: no attempt depends on it.

    Args:
        store: The datastore.
        batch: The attempts. Of their environment, secrets and parameters nothing is written.
    """
    code = Code(batch.code.kind, batch.code.main, batch.code.cls)
    told = Batch(
        batch.flow,
        batch.run,
        batch.step,
        batch.name,
        code,
        batch.tasks,
        batch.frames,
        batch.inputs,
        batch.join,
        user=batch.user,
        fallback=batch.fallback,
    )
    try:
        store.put(layout.batch(batch.flow, batch.run, batch.name), told.encode())
    except StoreError:
        return
