"""The launcher's store, against the small S3 server: what goes wrong there, and what is made of it."""

from collections.abc import Iterator

import pytest

from headway.errors import (
    KeyExistsError,
    KeyNotFoundError,
    StoreConfigurationError,
    StoreError,
    StoreUnavailableError,
)
from headway.store.base import ObjectStore
from headway.store.locations import S3Location
from headway.store.net.retries import RetryPolicy
from headway.store.remote import ObstoreStore
from headway.testing.s3_server import S3Server, error
from headway.testing.store_server import Fault, Reply
from headway.testing.store_suite import ObjectStoreSuite

QUICK = RetryPolicy(tries=4, base=0.001, cap=0.002)


class TestObstoreStore(ObjectStoreSuite):
    @pytest.fixture
    def store(self) -> Iterator[ObjectStore]:
        with S3Server() as server:
            yield ObstoreStore(S3Location("bucket", "some/prefix"), server.environ)


@pytest.fixture
def store(server: S3Server) -> ObstoreStore:
    return ObstoreStore(S3Location("bucket", "p"), server.environ, QUICK)


def test_passing_failures_are_tried_again_at_first_contact_and_later(
    server: S3Server, store: ObstoreStore
) -> None:
    for _ in range(2):
        server.fail(Fault(Reply(503)), Fault())
        store.put("a", b"x")
        server.fail(Fault(Reply(500)))
        assert store.get("a") == b"x"
        server.fail(Fault(Reply(503)))
        assert [info.key for info in store.list("")] == ["a"]


def test_a_listing_as_first_contact_is_tried_again(server: S3Server, store: ObstoreStore) -> None:
    server.objects["p/a"] = b"x"
    server.fail(Fault(Reply(503)), Fault(Reply(503)))
    assert [info.key for info in store.list("")] == ["a"]


def test_a_listing_of_many_pages(server: S3Server, store: ObstoreStore) -> None:
    server.objects.update({f"p/f/{number:04}": b"" for number in range(2500)})
    server.fail(Fault(Reply(503), after=1))
    assert [info.key for info in store.list("f/")] == [f"f/{number:04}" for number in range(2500)]
    assert [info.key for info in store.list("f/00", after="f/0097")] == ["f/0098", "f/0099"]


def test_a_conditional_put_whose_answer_was_lost_is_settled_by_reading(
    server: S3Server, store: ObstoreStore
) -> None:
    server.fail(Fault(carried_out=True, method="PUT"))
    store.put_if_absent("a", b"ours")
    assert server.objects["p/a"] == b"ours"
    with pytest.raises(KeyExistsError):
        store.put_if_absent("a", b"ours")


def test_a_conditional_put_that_failed_after_another_won_is_refused(
    server: S3Server, store: ObstoreStore
) -> None:
    server.objects["p/a"] = b"theirs"
    server.fail(Fault(Reply(500), method="PUT"))
    with pytest.raises(KeyExistsError):
        store.put_if_absent("a", b"ours")


def test_a_replace_whose_answer_was_lost_is_settled_by_reading(server: S3Server, store: ObstoreStore) -> None:
    store.put("a", b"one")
    tag = store.get_tagged("a")[1]
    server.fail(Fault(Reply(500), carried_out=True, method="PUT"))
    assert store.replace("a", b"two", tag) == store.get_tagged("a")[1]


def test_a_store_that_stays_out_of_order_is_given_up(server: S3Server, store: ObstoreStore) -> None:
    busy = Reply(503, b"<Error><Code>SlowDown</Code><Message>too fast</Message></Error>")
    server.fail(*[Fault(busy)] * 8)
    with pytest.raises(StoreUnavailableError, match="4 tries: SlowDown too fast"):
        store.put("a", b"x")
    server.fail(*[Fault(busy)] * 4)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("InvalidAccessKeyId", "does not know these credentials"),
        ("SignatureDoesNotMatch", "the secret key does not fit"),
        ("AccessDenied", "is not allowed"),
        ("ExpiredToken", "have expired"),
        ("NoSuchBucket", "there is no bucket 'bucket'"),
    ],
)
def test_wrong_configuration_is_named(server: S3Server, store: ObstoreStore, code: str, words: str) -> None:
    server.fail(Fault(error(403, code, "said the server")))
    with pytest.raises(StoreConfigurationError, match=words) as caught:
        store.put("a", b"x")
    assert "bucket 'bucket'" in str(caught.value)
    assert len(server.seen) == 1


def test_a_missing_bucket_is_told_by_every_method(server: S3Server) -> None:
    for call in (
        lambda store: store.get("a"),
        lambda store: store.get_range("a", 0, 1),
        lambda store: store.get_tagged("a"),
        lambda store: store.put("a", b"x"),
        lambda store: store.put_if_absent("a", b"x"),
        lambda store: store.replace("a", b"x", '"tag"'),
        lambda store: store.size("a"),
        lambda store: list(store.list("")),
        lambda store: store.delete(["a"]),
    ):
        store = ObstoreStore(S3Location("other"), server.environ, QUICK)
        with pytest.raises(StoreConfigurationError, match="there is no bucket 'other'"):
            call(store)


def test_another_region_is_named(server: S3Server) -> None:
    store = ObstoreStore(S3Location("bucket"), {**server.environ, "AWS_REGION": "eu-west-1"}, QUICK)
    with pytest.raises(StoreConfigurationError, match="is in another region: us-east-1"):
        store.get("a")


def test_without_credentials_the_error_lists_where_it_looked(server: S3Server) -> None:
    environ = {**server.environ, "AWS_ACCESS_KEY_ID": ""}
    store = ObstoreStore(S3Location("bucket"), environ, QUICK)
    with pytest.raises(StoreConfigurationError, match="no credentials for S3 were found"):
        store.get("a")


def test_the_variables_given_count_and_not_those_of_the_process(
    server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    store = ObstoreStore(S3Location("bucket"), server.environ, QUICK)
    store.put("a", b"x")
    assert server.objects == {"a": b"x"}


def test_nothing_listens() -> None:
    environ = {
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
    }
    store = ObstoreStore(S3Location("bucket"), environ, QUICK)
    with pytest.raises(StoreUnavailableError, match="nothing listens there"):
        store.get("a")


def test_a_connection_that_is_cut_off_is_told_as_such_without_the_librarys_own_words(
    server: S3Server, store: ObstoreStore
) -> None:
    server.fail(*[Fault()] * 8)
    with pytest.raises(StoreUnavailableError) as caught:
        list(store.list("f/"))
    assert caught.value.message.endswith(": the connection is cut off (4 tries)")
    with pytest.raises(StoreUnavailableError, match=": the connection is cut off"):
        store.get("a")


def test_other_refusals_are_errors_too(server: S3Server, store: ObstoreStore) -> None:
    server.fail(Fault(error(400, "EntityTooLarge", "too large")))
    with pytest.raises(StoreError, match="EntityTooLarge: too large"):
        store.put("a", b"x")
    with pytest.raises(KeyNotFoundError):
        store.get("a")


@pytest.mark.parametrize("status", [403, 404, 405])
def test_something_else_that_answers_is_no_missing_key(
    server: S3Server, store: ObstoreStore, status: int
) -> None:
    server.fail(Fault(Reply(status, b"<html>no such page</html>")))
    with pytest.raises(StoreConfigurationError, match="what answers there is no S3 server"):
        store.get("a")


def test_what_has_no_version_is_never_replaced(server: S3Server, store: ObstoreStore) -> None:
    """An empty one would be no condition at all, and two launchers could hold one lease."""
    store.put("a", b"one")
    plain = {"last-modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
    server.fail(Fault(Reply(200, b"one", plain), method="GET"))
    with pytest.raises(StoreError, match="gives no ETag for a"):
        store.get_tagged("a")
