"""Takes the launcher's claim on its run, and keeps it while the run goes on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from headway.errors import HeadwayError, StoreError
from headway.launch.lease import DURATION_SECONDS, RENEW_SECONDS, Lease
from headway.launch.own_thread import OwnThread

#: Seconds between two looks at a claim that is watched.
_LOOK = 5.0


async def take(lease: Lease, say: Callable[[str], object]) -> None:
    """Take a run that another launcher had, and may have still.

    Where it cannot be known at once, its claim is watched: one that is not renewed for as long as claims last is
    nobody's. No clock of another machine has a say in that.

    Args:
        lease: The claim.
        say: Told where this takes a while.

    Raises:
        LeaseHeldError: The other launcher drives the run.
        StoreError: The datastore failed.
    """
    watched = await asyncio.to_thread(lease.doubtful)
    if watched is not None:
        say(
            f"The last launcher, {watched.owner}, did not give the run back: for {DURATION_SECONDS:.0f} seconds it "
            "is watched whether it lives."
        )
        for _ in range(round(DURATION_SECONDS / _LOOK)):
            await asyncio.sleep(_LOOK)
            if not await asyncio.to_thread(lease.stands, watched):
                break
    await asyncio.to_thread(lease.acquire, watched)


@contextlib.asynccontextmanager
async def kept(lease: Lease, lost: Callable[[HeadwayError], None]) -> AsyncIterator[None]:
    """Hold the lease within the block; it is given back at its end.

    Args:
        lease: The claim; taken already.
        lost: Called once if another launcher has taken the run over, or if the claim cannot be kept
            for a reason that nobody thought of.
    """
    over = asyncio.Event()
    with OwnThread("headway-lease") as thread:
        task = asyncio.create_task(_renew(lease, thread, lost, over))
        try:
            yield
        finally:
            # Not cancelled: that would leave a renewal running in its thread, beside the release.
            over.set()
            await task
            with contextlib.suppress(StoreError):
                await thread.call(lease.release)


async def _renew(
    lease: Lease, thread: OwnThread, lost: Callable[[HeadwayError], None], over: asyncio.Event
) -> None:
    while not over.is_set():
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(over.wait(), RENEW_SECONDS)
            return
        try:
            await thread.call(lease.renew)
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
