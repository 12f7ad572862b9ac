"""What the client makes of a server that fails, moves, or does not answer."""

import os
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from email.utils import format_datetime

import pytest

from headway.errors import (
    KeyExistsError,
    KeyNotFoundError,
    StoreConfigurationError,
    StoreError,
    StoreUnavailableError,
)
from headway.store.net.retries import RetryPolicy
from headway.store.s3.client import S3Store
from headway.store.s3.endpoints import address_from_environment
from headway.store.s3.session import Session
from headway.testing.s3_server import S3Server, error
from headway.testing.store_server import Fault, Reply

SLOW_DOWN = Reply(503, b"<Error><Code>SlowDown</Code><Message>too fast</Message></Error>")


class Sleeper:
    """Counts the pauses instead of sleeping."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.pauses.append(seconds)


@pytest.fixture
def sleeper() -> Sleeper:
    return Sleeper()


Open = Callable[..., S3Store]


@pytest.fixture
def open_(server: S3Server, sleeper: Sleeper) -> Open:
    """Open a store on the server: the environment and the retry policy can be changed."""

    def open_store(
        environ: Mapping[str, str] | None = None,
        policy: RetryPolicy = RetryPolicy(),  # noqa: B008
        bucket: str = "bucket",
        clock: Callable[[], float] | None = None,
    ) -> S3Store:
        merged = {**server.environ, **(environ or {})}
        address = address_from_environment(bucket, merged)
        more = {"clock": clock} if clock else {}
        return S3Store(bucket, "p", Session(address, merged, policy, sleep=sleeper, **more))

    return open_store


@pytest.fixture
def store(open_: Open) -> S3Store:
    return open_()


def hits(server: S3Server, method: str = "") -> int:
    return len([seen for seen in server.seen if method in ("", seen.method)])


@pytest.mark.parametrize(
    "reply",
    [
        SLOW_DOWN,
        Reply(500, b"<Error><Code>InternalError</Code></Error>"),
        Reply(502, b"<html>bad gateway</html>"),
        Reply(429),
        Reply(409, b"<Error><Code>ConditionalRequestConflict</Code></Error>"),
        Reply(400, b"<Error><Code>RequestTimeout</Code></Error>"),
        None,
    ],
    ids=["slow-down", "internal", "gateway", "too-many", "conflict", "timeout", "hung-up"],
)
def test_passing_failures_are_tried_again(
    server: S3Server, store: S3Store, sleeper: Sleeper, reply: Reply | None
) -> None:
    store.put("warm", b"up")
    server.hang_up()  # so that each try has a fresh connection and a pause before it
    server.fail(Fault(reply), Fault(reply))
    store.put("a", b"x")
    assert server.objects["p/a"] == b"x"
    assert hits(server) == 4
    assert len(sleeper.pauses) == 2


def test_pauses_grow_and_are_random(server: S3Server, open_: Open, sleeper: Sleeper) -> None:
    server.fail(*[Fault(SLOW_DOWN)] * 8)
    open_().put("a", b"x")
    assert len(sleeper.pauses) == 8
    assert all(pause <= 0.1 * 2**number for number, pause in enumerate(sleeper.pauses))
    assert len(set(sleeper.pauses)) == 8


def test_retry_after_is_waited_for(server: S3Server, store: S3Store, sleeper: Sleeper) -> None:
    server.fail(Fault(SLOW_DOWN._replace(headers={"Retry-After": "7"})))
    store.put("a", b"x")
    assert 7 <= sleeper.pauses[0] < 8


def test_a_store_that_stays_out_of_order_is_given_up(server: S3Server, open_: Open) -> None:
    store = open_(policy=RetryPolicy(tries=3))
    server.fail(*[Fault(SLOW_DOWN)] * 3)
    with pytest.raises(
        StoreUnavailableError, match=r"(?s)writing p/a in bucket 'bucket'.*3 tries: SlowDown too fast"
    ):
        store.put("a", b"x")
    assert hits(server) == 3
    with pytest.raises(KeyNotFoundError):
        store.get("a")


def test_no_try_starts_after_the_time_is_up(server: S3Server, open_: Open, sleeper: Sleeper) -> None:
    store = open_(policy=RetryPolicy(seconds=0.0))
    server.fail(Fault(SLOW_DOWN))
    with pytest.raises(StoreUnavailableError):
        store.put("a", b"x")
    assert hits(server) == 1
    assert sleeper.pauses == []


@pytest.mark.parametrize("status", [400, 403, 404, 405])
def test_refusals_are_not_tried_again(server: S3Server, store: S3Store, status: int) -> None:
    server.fail(Fault(error(status, "SomethingElse", "because")))
    with pytest.raises(StoreError, match="SomethingElse: because"):
        store.put("a", b"x")
    assert hits(server) == 1


def test_a_connection_that_the_server_closed_is_replaced_at_once(
    server: S3Server, store: S3Store, sleeper: Sleeper
) -> None:
    store.put("a", b"x")
    server.hang_up()
    assert store.get("a") == b"x"
    assert sleeper.pauses == []


def test_connections_are_kept(server: S3Server, store: S3Store) -> None:
    for _ in range(5):
        store.put("a", b"x")
    assert len(server.clients) == 1


def test_a_large_put_that_is_refused_early_tells_why(server: S3Server, store: S3Store) -> None:
    server.refuse_early = True
    with pytest.raises(StoreConfigurationError, match="AccessDenied"):
        store.put("a", bytes(8 << 20))


def test_a_conditional_put_whose_answer_was_lost_is_settled_by_reading(
    server: S3Server, store: S3Store
) -> None:
    store.put("warm", b"up")
    server.fail(Fault(carried_out=True, method="PUT"))
    store.put_if_absent("a", b"ours")
    assert server.objects["p/a"] == b"ours"
    with pytest.raises(KeyExistsError):
        store.put_if_absent("a", b"ours")


def test_a_conditional_put_that_failed_after_another_won_is_refused(server: S3Server, store: S3Store) -> None:
    server.objects["p/a"] = b"theirs"
    server.fail(Fault(Reply(500), method="PUT"))
    with pytest.raises(KeyExistsError):
        store.put_if_absent("a", b"ours")
    assert server.objects["p/a"] == b"theirs"


def test_a_replace_whose_answer_was_lost_is_settled_by_reading(server: S3Server, store: S3Store) -> None:
    store.put("a", b"one")
    tag = store.get_tagged("a")[1]
    server.fail(Fault(Reply(500), carried_out=True, method="PUT"))
    second = store.replace("a", b"two", tag)
    assert store.get_tagged("a") == (b"two", second)


def test_a_replace_that_failed_after_another_won_is_refused(server: S3Server, store: S3Store) -> None:
    store.put("a", b"one")
    tag = store.get_tagged("a")[1]
    server.objects["p/a"] = b"theirs"
    server.fail(Fault(method="PUT"))
    with pytest.raises(KeyExistsError):
        store.replace("a", b"two", tag)


def test_another_region_is_found_by_itself(server: S3Server, open_: Open) -> None:
    store = open_({"AWS_REGION": "eu-west-1"})
    server.region = "ap-south-1"
    store.put("a", b"x")
    assert store.get("a") == b"x"
    assert hits(server) == 3


def test_a_redirect_to_another_region_is_followed_once(server: S3Server, store: S3Store) -> None:
    redirect = Reply(301, b"", {"x-amz-bucket-region": "eu-west-1"})
    server.region = "eu-west-1"
    server.fail(Fault(redirect), Fault(redirect._replace(headers={"x-amz-bucket-region": "eu-west-2"})))
    with pytest.raises(StoreConfigurationError, match="eu-west-2") as caught:
        store.size("a")
    assert "AWS_REGION=eu-west-2" in str(caught.value)


def test_a_clock_that_is_off_is_made_up_for(server: S3Server, open_: Open) -> None:
    now = datetime(2026, 5, 1, 12, 0, 0, tzinfo=timezone.utc)
    store = open_(clock=lambda: now.timestamp() - 7200)
    skewed = error(403, "RequestTimeTooSkewed", headers={"Date": format_datetime(now, usegmt=True)})
    server.fail(Fault(skewed))
    store.put("a", b"x")
    assert [seen.headers["x-amz-date"] for seen in server.seen] == ["20260501T100000Z", "20260501T120000Z"]


def test_a_clock_that_stays_off_is_told_of(server: S3Server, store: S3Store) -> None:
    server.fail(*[Fault(error(403, "RequestTimeTooSkewed"))] * 2)
    with pytest.raises(StoreConfigurationError, match="clock"):
        store.put("a", b"x")


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
def test_wrong_configuration_is_named(server: S3Server, store: S3Store, code: str, words: str) -> None:
    server.fail(*[Fault(error(403, code, "said the server"))] * 2)
    with pytest.raises(StoreConfigurationError, match=words) as caught:
        store.put("a", b"x")
    assert "bucket 'bucket'" in str(caught.value)
    assert server.url in str(caught.value)
    assert caught.value.hint
    if code != "NoSuchBucket":
        assert "AWS_ACCESS_KEY_ID in the environment" in str(caught.value)
    assert "secret/test" not in str(caught.value)


def test_a_missing_bucket_is_told_by_every_method(server: S3Server, open_: Open) -> None:
    store = open_(bucket="other")
    for call in (
        lambda: store.get("a"),
        lambda: store.get_range("a", 0, 1),
        lambda: store.get_tagged("a"),
        lambda: store.put("a", b"x"),
        lambda: store.put_if_absent("a", b"x"),
        lambda: store.replace("a", b"x", '"tag"'),
        lambda: store.size("a"),
        lambda: list(store.list("")),
        lambda: store.delete(["a"]),
        lambda: store.delete(["a", "b"]),
    ):
        with pytest.raises(StoreConfigurationError, match="there is no bucket 'other'"):
            call()


def test_what_a_server_cannot_do_is_named(server: S3Server, store: S3Store) -> None:
    server.fail(Fault(error(501, "NotImplemented", "no such header")))
    with pytest.raises(StoreConfigurationError, match="cannot do what writing"):
        store.put_if_absent("a", b"x")


def test_nothing_listens(open_: Open, sleeper: Sleeper) -> None:
    store = open_({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}, policy=RetryPolicy(tries=3))
    with pytest.raises(StoreUnavailableError, match=r"nothing listens there \(3 tries\)") as caught:
        store.get("a")
    assert "bucket 'bucket': http://127.0.0.1:1/bucket" in str(caught.value)
    assert "AWS_ENDPOINT_URL_S3" in str(caught.value)
    assert len(sleeper.pauses) == 2


def test_a_name_that_does_not_exist(open_: Open) -> None:
    store = open_({"AWS_ENDPOINT_URL_S3": "http://no-such-host.invalid"}, policy=RetryPolicy(tries=1))
    with pytest.raises(StoreUnavailableError, match=r"no-such-host\.invalid cannot be resolved"):
        store.get("a")


def test_an_answer_that_is_cut_off_is_read_again(server: S3Server, store: S3Store, sleeper: Sleeper) -> None:
    store.put("a", b"0123456789")
    server.fail(Fault(Reply(206, b"0123", {"Content-Length": "10"}), method="GET"))
    assert store.get("a") == b"0123456789"


def test_a_list_page_that_fails_is_asked_for_again(server: S3Server, store: S3Store) -> None:
    server.page = 2
    for number in range(5):
        store.put(str(number), b"x")
    server.fail(Fault(SLOW_DOWN, asked="continuation-token"))
    assert [info.key for info in store.list("")] == ["0", "1", "2", "3", "4"]


def test_a_fork_does_not_share_connections(server: S3Server, store: S3Store) -> None:
    store.put("a", b"parent")
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:  # pragma: no cover
        try:
            store.put("b", b"child")
            os.write(writing, store.get("a") + store.get("b"))
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(pid, 0)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == b"parentchild"
    assert store.get("b") == b"child"
    assert len(server.clients) == 2


def test_bulk_delete_tells_what_it_could_not_delete(server: S3Server, store: S3Store) -> None:
    failed = b"<Error><Key>p/b</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
    server.fail(Fault(Reply(200, b"<DeleteResult>%b</DeleteResult>" % failed), method="POST"))
    with pytest.raises(StoreError, match=r"deleting p/b .* AccessDenied: no"):
        store.delete(["a", "b"])


def test_many_objects_are_deleted_in_batches(server: S3Server, store: S3Store) -> None:
    server.objects.update({f"p/{number}": b"" for number in range(1500)})
    store.delete([str(number) for number in range(1500)])
    assert server.objects == {}
    assert hits(server) == 2


def test_a_session_token_is_sent_and_signed(server: S3Server, open_: Open) -> None:
    open_({"AWS_SESSION_TOKEN": "token"}).put("a", b"x")
    assert server.seen[0].headers["x-amz-security-token"] == "token"
    assert "x-amz-security-token" in server.seen[0].headers["authorization"]


def test_markers_of_folders_are_not_listed(server: S3Server, store: S3Store) -> None:
    server.objects.update({"p/": b"", "p/a/": b"", "p/a/b": b"x"})
    assert [info.key for info in store.list("")] == ["a/b"]


def test_expired_credentials_that_cannot_be_renewed_are_told(server: S3Server, store: S3Store) -> None:
    server.fail(Fault(error(400, "ExpiredToken")))
    with pytest.raises(StoreConfigurationError, match="have expired"):
        store.get("a")
    assert hits(server) == 1


@pytest.mark.parametrize("status", [403, 404, 405])
def test_something_else_that_answers_is_no_missing_key(server: S3Server, store: S3Store, status: int) -> None:
    server.fail(Fault(Reply(status, b"<html>no such page</html>")))
    with pytest.raises(StoreConfigurationError, match="what answers there is no S3 server"):
        store.get("a")
    server.fail(Fault(Reply(status)))
    with pytest.raises(StoreConfigurationError, match="what answers there is no S3 server"):
        store.get("a")


def test_objects_of_others_with_names_that_no_key_has_are_not_listed(
    server: S3Server, store: S3Store
) -> None:
    store.put("a/ours", b"1")
    (ours,) = server.objects
    folder = ours.removesuffix("a/ours")
    for name in ("/", "//", "a//b", "a/", "a/../b"):
        server.objects[folder + name] = b"of somebody else"
    assert [found.key for found in store.list("")] == ["a/ours"]
    assert [found.key for found in store.list("a/")] == ["a/ours"]
