"""Asks the launcher of a run, wherever it is, to stop; and hears of it."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable

from headway.errors import KeyNotFoundError, StoreError
from headway.store import layout
from headway.store.base import ObjectStore

#: How often a launcher looks whether it was asked to stop, in seconds.
LOOK_SECONDS = 5.0


def ask_to_stop(store: ObjectStore, flow: str, run: str, who: str) -> None:
    """Leave word that a run is to stop.

    Args:
        store: The run's datastore.
        flow: The flow.
        run: The run.
        who: Who asks, for words.
    """
    store.put(layout.stop(flow, run), json.dumps({"by": who, "at": time.time()}).encode())


def asked_by(store: ObjectStore, flow: str, run: str) -> str | None:
    """Who asked the run to stop, None where nobody did."""
    try:
        return str(json.loads(store.get(layout.stop(flow, run))).get("by", "somebody"))
    except (KeyNotFoundError, ValueError):
        return None


@contextlib.asynccontextmanager
async def heeded(
    store: ObjectStore, flow: str, run: str, stop: Callable[[str], object]
) -> AsyncIterator[None]:
    """Within the block, tell the run's driver once somebody asks it to stop.

    Args:
        store: The run's datastore.
        flow: The flow.
        run: The run.
        stop: Told the reason, once.
    """
    task = asyncio.create_task(_listen(store, flow, run, stop))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _listen(store: ObjectStore, flow: str, run: str, stop: Callable[[str], object]) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        # A datastore in trouble is the driver's business; here the next look will do.
        with contextlib.suppress(StoreError):
            who = await asyncio.to_thread(asked_by, store, flow, run)
            if who is not None:
                stop(f"stopped by {who}")
                return
