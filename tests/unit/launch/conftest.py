"""Asynchronous tests run in virtual time: retries, windows and pauses cost nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from headway.testing.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"virtual": VirtualTimeLoop}


@pytest.fixture
async def busy_threads() -> AsyncIterator[None]:
    """All of asyncio's own threads are at work on something that takes long."""
    done = Event()
    with ThreadPoolExecutor(1) as pool:
        asyncio.get_running_loop().set_default_executor(pool)
        pool.submit(done.wait)
        try:
            yield
        finally:
            done.set()
