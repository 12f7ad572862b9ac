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
        lost: Called once if another launcher has taken the run over, or if the claim cannot be kept
            for a reason that nobody thought of.
    """
    over = asyncio.Event()
    task = asyncio.create_task(_renew(lease, lost, over))
    try:
        yield
    finally:
        # Not cancelled: that would leave a renewal running in its thread, beside the release.
        over.set()
        await task
        with contextlib.suppress(StoreError):
            await asyncio.to_thread(lease.release)


async def _renew(lease: Lease, lost: Callable[[HeadwayError], None], over: asyncio.Event) -> None:
    while not over.is_set():
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(over.wait(), RENEW_SECONDS)
            return
        try:
            await asyncio.to_thread(lease.renew)
        except StoreError:
            # The datastore is in trouble; the next renewal may succeed, and a lease that ran out
            # meanwhile is still ours unless somebody took it.
            continue
        except HeadwayError as error:
            lost(error)
            return
        except Exception as error:
            words = f"Internal error: the run's lease cannot be renewed: {type(error).__name__}: {error}"
            failure = HeadwayError(words)
            failure.__cause__ = error
            lost(failure)
            return
