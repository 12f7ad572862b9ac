"""Keeps the launcher's claim on its run while the run goes on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from headway.errors import HeadwayError, StoreError
from headway.launch.lease import RENEW_SECONDS, Lease


@contextlib.asynccontextmanager
async def kept(lease: Lease, lost: Callable[[HeadwayError], None]) -> AsyncIterator[None]:
    """Hold the lease within the block; it is given back at its end.

    Args:
        lease: The claim; taken already.
        lost: Called once if another launcher has taken the run over.
    """
    task = asyncio.create_task(_renew(lease, lost))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        with contextlib.suppress(StoreError):
            await asyncio.to_thread(lease.release)


async def _renew(lease: Lease, lost: Callable[[HeadwayError], None]) -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        try:
            await asyncio.to_thread(lease.renew)
        except StoreError:
            # The datastore is in trouble; the next renewal may succeed, and a lease that ran out
            # meanwhile is still ours unless somebody took it.
            continue
        except HeadwayError as error:
            lost(error)
            return
