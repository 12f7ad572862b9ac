"""The conformance suite against a real S3 server, by both of our ways to it."""

import os
import time
import uuid
from collections.abc import Iterator

import pytest

from headway.errors import StoreConfigurationError, StoreUnavailableError
from headway.store.base import ObjectStore
from headway.store.conditions import verify_conditions
from headway.store.locations import S3Location
from headway.store.remote import ObstoreStore
from headway.store.s3.client import S3Store
from headway.testing.store_suite import ObjectStoreSuite

BUCKET = os.environ.get("HEADWAY_TEST_BUCKET", "")

pytestmark = [
    pytest.mark.s3,
    pytest.mark.skipif(not BUCKET, reason="HEADWAY_TEST_BUCKET is not set: no S3 server to test against"),
]


@pytest.fixture
def prefix() -> Iterator[str]:
    prefix = f"store-tests/{uuid.uuid4().hex[:12]}"
    yield prefix
    store = S3Store(BUCKET, prefix)
    store.delete([info.key for info in store.list("")])


class RemoteSuite(ObjectStoreSuite):
    # SeaweedFS walks folders; on AWS this is True.
    byte_order_of_folders = os.environ.get("HEADWAY_TEST_S3_ORDER") == "bytes"


class TestS3Store(RemoteSuite):
    @pytest.fixture
    def store(self, prefix: str) -> ObjectStore:
        return S3Store(BUCKET, prefix)


class TestObstoreStore(RemoteSuite):
    @pytest.fixture
    def store(self, prefix: str) -> ObjectStore:
        return ObstoreStore(S3Location(BUCKET, prefix))


STORES = {
    "own": lambda bucket, environ: S3Store(bucket, environ=environ),
    "obstore": lambda bucket, environ: ObstoreStore(S3Location(bucket), environ),
}


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"AWS_ACCESS_KEY_ID": "nobody"}, "does not know these credentials"),
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "the secret key does not fit"),
        ({"AWS_ACCESS_KEY_ID": ""}, "no credentials for S3 were found"),
        ({"BUCKET": f"missing-{uuid.uuid4().hex}"}, "there is no bucket 'missing-"),
    ],
)
def test_wrong_configuration_is_refused(kind: str, change: dict[str, str], words: str) -> None:
    nothing = {"AWS_CONFIG_FILE": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true"}
    environ = {**os.environ, **nothing, "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", **change}
    store = STORES[kind](environ.get("BUCKET", BUCKET), environ)
    with pytest.raises(StoreConfigurationError, match=words) as caught:
        verify_conditions(store)
    assert caught.value.hint


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("http://127.0.0.1:1", "the connection is refused, nothing listens there"),
        ("http://no-such-host.invalid", r"no-such-host\.invalid cannot be resolved"),
    ],
)
def test_an_endpoint_that_is_not_there_is_told_soon(kind: str, endpoint: str, words: str) -> None:
    store = STORES[kind](BUCKET, {**os.environ, "AWS_ENDPOINT_URL_S3": endpoint})
    started = time.monotonic()
    with pytest.raises(StoreUnavailableError, match=words):
        store.get("a")
    # Tries against one that answered before go on for longer than this.
    assert time.monotonic() - started < 45


def test_both_ways_see_the_same_objects(prefix: str) -> None:
    own, native = S3Store(BUCKET, prefix), ObstoreStore(S3Location(BUCKET, prefix))
    own.put("a b/+%", b"own")
    assert native.get("a b/+%") == b"own"
    tag = native.get_tagged("a b/+%")[1]
    assert own.replace("a b/+%", b"swapped", tag) == native.get_tagged("a b/+%")[1]
    assert list(own.list("")) == list(native.list(""))
