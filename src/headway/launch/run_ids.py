"""Run ids: the microsecond in which a run was claimed, as digits; they sort by age and never clash."""

import time
from collections.abc import Callable

from headway.errors import KeyExistsError, StoreError, UsageError
from headway.store.base import ObjectStore
from headway.store.layout import run_record
from headway.store.run_records import RunRecord

#: The metadata entry that tells whose run record it is.
LAUNCHER = "launcher"

#: Launchers that start within the same few microseconds; far more than can be.
_MOST_BUMPS = 1000


def claim_run(
    store: ObjectStore, record: RunRecord, launcher: str, clock: Callable[[], float] = time.time
) -> RunRecord:
    """Give a new run its id by creating its record; of several launchers at once each gets its own.

    Args:
        store: The run's datastore.
        record: Everything else that is known of the run; its ``run`` is not read.
        launcher: The claiming launcher's id (:attr:`Holder.id <headway.launch.lease.Holder.id>`).
        clock: Seconds since the epoch.

    Returns:
        The record as it was created, with its run id.

    Raises:
        StoreError: A thousand ids in a row are taken: the store does not honour conditional writes.
    """
    first = int(clock() * 1_000_000)
    record = record._replace(metadata={**record.metadata, LAUNCHER: launcher})
    for number in range(first, first + _MOST_BUMPS):
        claimed = record._replace(run=str(number))
        key = run_record(record.flow, claimed.run)
        data = claimed.encode()
        try:
            store.put_if_absent(key, data)
        except KeyExistsError:
            # A store that repeats a write whose reply was lost finds our own record in place.
            if store.get(key) != data:
                continue
        return claimed
    raise StoreError(
        f"No run id is free in {store.url}: {_MOST_BUMPS} in a row from {first} are taken.",
        "Run records are created by conditional writes; `doctor` checks that the store honours them.",
    )


def claim_named_run(store: ObjectStore, record: RunRecord, launcher: str) -> RunRecord:
    """Give a new run the id that its record names.

    Returns:
        The record as it was created.

    Raises:
        UsageError: There is such a run.
    """
    claimed = record._replace(metadata={**record.metadata, LAUNCHER: launcher})
    data = claimed.encode()
    try:
        store.put_if_absent(run_record(record.flow, record.run), data)
    except KeyExistsError as error:
        if store.get(run_record(record.flow, record.run)) != data:
            raise UsageError(
                f"There is a run {record.flow}/{record.run} in {store.url} already.",
                "Choose another --run-id, or go on with that run: --reentrant.",
            ) from error
    return claimed
