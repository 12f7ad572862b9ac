"""Asynchronous tests run in virtual time: retries, windows and pauses cost nothing."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from headway.testing.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"virtual": VirtualTimeLoop}
