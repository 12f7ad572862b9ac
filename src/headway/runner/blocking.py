"""From asynchronous calls to blocking ones."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def finished(call: Coroutine[Any, Any, T]) -> T:
    """Make an asynchronous call from code that is not.

    Where an event loop runs already, as in notebooks, it is made by one in another thread.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(call)
    results: list[T] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            results.append(asyncio.run(call))
        except BaseException as error:  # handed to the caller's thread, whatever it is
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]
