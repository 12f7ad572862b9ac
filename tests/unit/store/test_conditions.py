"""Stores that ignore conditions are found out."""

import pytest

from headway.errors import StoreConfigurationError
from headway.store.base import Buffer
from headway.store.conditions import PROBE_KEY, verify_conditions
from headway.store.s3.client import S3Store
from headway.testing.memory_store import MemoryStore
from headway.testing.s3_server import S3Server


class Careless(MemoryStore):
    """Takes every conditional write."""

    def put_if_absent(self, key: str, data: Buffer) -> None:
        self.put(key, data)


class Swapless(MemoryStore):
    """Replaces whatever version there is."""

    def replace(self, key: str, data: Buffer, tag: str) -> str:
        self.put(key, data)
        return "tag"


def test_an_honest_store_passes_and_keeps_one_small_object() -> None:
    store = MemoryStore()
    verify_conditions(store)
    verify_conditions(store)
    assert [info.key for info in store.list("")] == [PROBE_KEY]
    assert len(store.calls) == 4 + 3 + 1


@pytest.mark.parametrize("written", [False, True])
def test_a_store_without_put_if_absent_is_refused(written: bool) -> None:
    store = Careless("bad")
    if written:
        store.put(PROBE_KEY, b"x")
    with pytest.raises(StoreConfigurationError, match="memory://bad ignores the condition") as caught:
        verify_conditions(store)
    assert "MinIO" in str(caught.value)


def test_a_store_without_compare_and_swap_is_refused() -> None:
    with pytest.raises(StoreConfigurationError, match="no compare-and-swap"):
        verify_conditions(Swapless())


def test_an_s3_server_that_ignores_conditions_is_refused(server: S3Server, s3_store: S3Store) -> None:
    server.honours_conditions = False
    with pytest.raises(StoreConfigurationError, match="s3://bucket ignores"):
        verify_conditions(s3_store)


def test_a_missing_bucket_is_found_before_anything_is_written(server: S3Server) -> None:
    with pytest.raises(StoreConfigurationError, match="there is no bucket 'typo'"):
        verify_conditions(S3Store("typo", environ=server.environ))
    assert [seen.method for seen in server.seen] == ["GET"]
