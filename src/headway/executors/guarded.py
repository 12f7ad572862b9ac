"""Work in the background of an executor, none of whose errors goes unheard."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


def guarded(work: Coroutine[Any, Any, None], broken: Callable[[Exception], None]) -> asyncio.Task[None]:
    """Start this as a task.

    Args:
        work: What to do.
        broken: Told of an error in it.
    """

    async def watched() -> None:
        try:
            await work
        except Exception as error:
            broken(error)

    task = asyncio.ensure_future(watched())
    # Cancelled before its first step it would never have awaited the work.
    task.add_done_callback(lambda _: work.close())
    return task
