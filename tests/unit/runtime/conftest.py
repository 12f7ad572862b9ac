"""What the tests of attempts share: a store with the run's parameters, and no step that runs on after a test."""

from collections.abc import Iterator

import pytest
from runtime_cases import store_task

from headway.flow.current import current
from headway.runtime.state import PARAMETERS
from headway.testing.memory_store import MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store_task(store, PARAMETERS, {"alpha": 0.5, "names": ["a", "b"]})
    return store


@pytest.fixture(autouse=True)
def _no_running_step() -> Iterator[None]:
    yield
    current._end()
