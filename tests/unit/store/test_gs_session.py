"""What the client of Google Cloud Storage makes of a server that fails, refuses, or does not answer."""

from collections.abc import Callable, Iterator, Mapping

import pytest

from headway.errors import (
    KeyExistsError,
    KeyNotFoundError,
    StoreConfigurationError,
    StoreError,
    StoreUnavailableError,
)
from headway.store.conditions import verify_conditions
from headway.store.gs.address import address_from_environment
from headway.store.gs.client import GoogleStore
from headway.store.gs.session import Session
from headway.store.net.retries import RetryPolicy
from headway.store.net.transfers import PART_SIZE
from headway.testing.gs_server import TOKEN, GoogleServer, error
from headway.testing.store_server import Fault, Reply

BUSY = error(503, "backendError", "too much at once")

Open = Callable[..., GoogleStore]


@pytest.fixture
def google() -> Iterator[GoogleServer]:
    with GoogleServer(token=TOKEN) as server:
        yield server


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def open_(google: GoogleServer, pauses: list[float]) -> Open:
    """Open a store on the server: the environment and the retry policy can be changed."""

    def open_store(
        environ: Mapping[str, str] | None = None,
        policy: RetryPolicy = RetryPolicy(),  # noqa: B008
        bucket: str = "bucket",
    ) -> GoogleStore:
        merged = {**google.environ, **(environ or {})}
        address = address_from_environment(bucket, merged)
        return GoogleStore(bucket, "p", Session(address, merged, policy, sleep=pauses.append))

    return open_store


@pytest.fixture
def store(open_: Open) -> GoogleStore:
    return open_()


def hits(server: GoogleServer, method: str = "") -> int:
    return len([seen for seen in server.seen if method in ("", seen.method)])


@pytest.mark.parametrize(
    "reply",
    [
        BUSY,
        error(500, "internalError"),
        error(429, "rateLimitExceeded", "the object is written too often"),
        error(403, "userRateLimitExceeded"),
        Reply(502, b"<html>bad gateway</html>"),
        Reply(408, b"Request Timeout"),
        None,
    ],
    ids=["busy", "internal", "object-rate", "user-rate", "gateway", "timeout", "hung-up"],
)
def test_passing_failures_are_tried_again(
    google: GoogleServer, store: GoogleStore, pauses: list[float], reply: Reply | None
) -> None:
    store.put("warm", b"up")
    google.hang_up()  # so that each try has a fresh connection and a pause before it
    google.fail(Fault(reply), Fault(reply))
    store.put("a", b"x")
    assert google.objects["p/a"][0] == b"x"
    assert hits(google) == 4
    assert len(pauses) == 2


def test_a_store_that_stays_out_of_order_is_given_up(google: GoogleServer, open_: Open) -> None:
    store = open_(policy=RetryPolicy(tries=3))
    google.fail(*[Fault(BUSY)] * 3)
    with pytest.raises(
        StoreUnavailableError,
        match=r"(?s)writing p/a in bucket 'bucket'.*3 tries: backendError too much at once",
    ):
        store.put("a", b"x")
    assert hits(google) == 3


@pytest.mark.parametrize("status", [400, 405, 412])
def test_refusals_are_not_tried_again(google: GoogleServer, store: GoogleStore, status: int) -> None:
    google.fail(Fault(error(status, "somethingElse", "because")))
    with pytest.raises(StoreError, match="somethingElse: because"):
        store.put("a", b"x")
    assert hits(google) == 1


@pytest.mark.parametrize(
    ("reply", "words", "hint"),
    [
        (
            error(401, "authError", "Invalid Credentials"),
            r"does not accept these credentials \(from CLOUDSDK_AUTH_ACCESS_TOKEN .*Invalid Credentials",
            "gcloud auth application-default login",
        ),
        (
            error(403, "forbidden", "sa@x does not have storage.objects.create access"),
            r"writing p/a in bucket 'bucket' .* is not allowed .*storage\.objects\.create",
            "roles/storage.objectUser",
        ),
        (
            error(404, "notFound", "The specified bucket does not exist."),
            "there is no bucket 'bucket'",
            "gcloud storage buckets create gs://bucket",
        ),
        (Reply(404, b"<!DOCTYPE html>\n<title>Error 404"), "is no Google Cloud Storage", "HTTPS_PROXY"),
    ],
    ids=["unauthorized", "forbidden", "no-bucket", "something-else"],
)
def test_wrong_configuration_is_named(
    google: GoogleServer, store: GoogleStore, reply: Reply, words: str, hint: str
) -> None:
    google.fail(*[Fault(reply)] * 2)
    with pytest.raises(StoreConfigurationError, match=f"(?s){words}") as caught:
        store.put("a", b"x")
    assert hint in str(caught.value)
    assert google.url in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert caught.value.status == reply.status


def test_a_missing_bucket_is_told_by_every_method(google: GoogleServer, open_: Open) -> None:
    store = open_(bucket="other")
    for call in (
        lambda: store.get("a"),
        lambda: store.get_range("a", 0, 1),
        lambda: store.get_tagged("a"),
        lambda: store.put("a", b"x"),
        lambda: store.put("a", bytes(17 << 20)),
        lambda: store.put_if_absent("a", b"x"),
        lambda: store.replace("a", b"x", "17"),
        lambda: store.size("a"),
        lambda: list(store.list("")),
        lambda: store.delete(["a"]),
        lambda: store.delete(["a", "b"]),
    ):
        with pytest.raises(StoreConfigurationError, match="there is no bucket 'other'"):
            call()


def test_a_missing_object_costs_one_request_where_the_bucket_is_known(
    google: GoogleServer, store: GoogleStore
) -> None:
    with pytest.raises(KeyNotFoundError):
        store.get("a")
    assert hits(google) == 1  # Google's own words tell
    google.fail(Fault(error(404, "notFound", "Not Found")))  # an emulator's do not
    with pytest.raises(KeyNotFoundError):
        store.get("a")
    assert store.size("a") is None
    assert hits(google) == 3


def test_an_emulators_missing_object_is_no_missing_bucket(google: GoogleServer, store: GoogleStore) -> None:
    google.fail(*[Fault(error(404, "notFound", "Not Found"))])
    with pytest.raises(KeyNotFoundError, match="there is no p/a in bucket 'bucket'"):
        store.get("a")
    assert [seen.target.partition("?")[2] for seen in google.seen][1] == "maxResults=1&fields=kind"


def test_nothing_listens(open_: Open, pauses: list[float]) -> None:
    store = open_({"HEADWAY_GS_ENDPOINT_URL": "http://127.0.0.1:1"}, policy=RetryPolicy(tries=3))
    with pytest.raises(StoreUnavailableError, match=r"nothing listens there \(3 tries\)") as caught:
        store.get("a")
    assert "the endpoint (HEADWAY_GS_ENDPOINT_URL)" in str(caught.value)
    assert len(pauses) == 2


def test_a_conditional_put_whose_answer_was_lost_is_settled_by_reading(
    google: GoogleServer, store: GoogleStore
) -> None:
    store.put("warm", b"up")
    google.fail(Fault(carried_out=True, method="POST"))
    store.put_if_absent("a", b"ours")
    assert google.objects["p/a"][0] == b"ours"
    with pytest.raises(KeyExistsError):
        store.put_if_absent("a", b"ours")


def test_a_conditional_put_that_failed_after_another_won_is_refused(
    google: GoogleServer, store: GoogleStore
) -> None:
    google.write("p/a", b"theirs")
    google.fail(Fault(Reply(500), method="POST"))
    with pytest.raises(KeyExistsError):
        store.put_if_absent("a", b"ours")
    assert google.objects["p/a"][0] == b"theirs"


def test_a_replace_whose_answer_was_lost_is_settled_by_reading(
    google: GoogleServer, store: GoogleStore
) -> None:
    store.put("a", b"one")
    tag = store.get_tagged("a")[1]
    google.fail(Fault(Reply(500), carried_out=True, method="POST"))
    second = store.replace("a", b"two", tag)
    assert store.get_tagged("a") == (b"two", second)


@pytest.mark.parametrize("tag", ["0", "", '"00000000000000000000000000000000"', "C17=", "1"])
def test_a_tag_that_is_none_replaces_nothing(google: GoogleServer, store: GoogleStore, tag: str) -> None:
    for present in (False, True):
        if present:
            store.put("a", b"one")
        with pytest.raises(KeyExistsError):
            store.replace("a", b"two", tag)
        assert ("p/a" in google.objects) is present
        assert "ifGenerationMatch=1&" in google.seen[-1].target


def test_a_server_that_ignores_conditions_is_found_out() -> None:
    with GoogleServer(honours_conditions=False) as server:
        store = GoogleStore("bucket", environ=server.environ)
        with pytest.raises(StoreConfigurationError, match="ignores the condition of a write"):
            verify_conditions(store)


def test_all_ranges_of_an_object_are_of_one_version(google: GoogleServer, store: GoogleStore) -> None:
    store.put("a", bytes(3 * PART_SIZE))
    generation = google.objects["p/a"][1]
    store.get("a")
    reads = [seen.target for seen in google.seen if "alt=media" in seen.target]
    assert [f"generation={generation}" in target for target in reads] == [False, True, True]

    google.fail(Fault(error(404, "notFound", "No such object: bucket/p/a"), asked="generation="))
    with pytest.raises(StoreUnavailableError, match="was overwritten while it was read"):
        store.get("a")


def test_small_writes_ask_for_the_generation_only(google: GoogleServer, store: GoogleStore) -> None:
    store.put("a b/ü", b"x")
    (seen,) = google.seen
    assert seen.target.partition("?")[0] == "/upload/storage/v1/b/bucket/o"
    assert "name=p%2Fa%20b%2F%C3%BC" in seen.target
    assert "fields=generation" in seen.target
    assert seen.headers["authorization"] == f"Bearer {TOKEN}"


class TestLargeObjects:
    """Uploads that are interrupted go on from where the server has them."""

    CONTENT = bytes(range(256)) * (17 << 12)

    def put(self, store: GoogleStore) -> None:
        view = memoryview(self.CONTENT)
        store.put("large", [view[:1000], view[1000 : 9 << 20], view[9 << 20 :]])

    def ranges(self, google: GoogleServer) -> list[str]:
        return [seen.headers["content-range"] for seen in google.seen if seen.method == "PUT"]

    def test_one_request_sends_it_all(self, google: GoogleServer, store: GoogleStore) -> None:
        self.put(store)
        assert google.objects["p/large"][0] == self.CONTENT
        assert self.ranges(google) == [f"bytes 0-{len(self.CONTENT) - 1}/{len(self.CONTENT)}"]
        assert [hits(google, method) for method in ("POST", "PUT", "DELETE")] == [1, 1, 0]

    def test_what_arrived_is_not_sent_again(
        self, google: GoogleServer, store: GoogleStore, pauses: list[float]
    ) -> None:
        total = len(self.CONTENT)
        google.takes = [5 << 20, (1 << 20) + 17]
        google.fail(
            *[Fault(BUSY, carried_out=True, method="PUT", asked="upload_id"), Fault(method="PUT", after=1)]
        )
        self.put(store)
        assert google.objects["p/large"][0] == self.CONTENT
        sent = self.ranges(google)
        assert sent[0] == f"bytes 0-{total - 1}/{total}"
        assert sent[1] == f"bytes */{total}"
        assert f"bytes {5 << 20}-{total - 1}/{total}" in sent
        assert sent[-1] == f"bytes {6 << 20}-{total - 1}/{total}"
        assert google.uploads == {}

    def test_an_end_whose_answer_was_lost_is_no_failure(
        self, google: GoogleServer, store: GoogleStore
    ) -> None:
        google.fail(Fault(BUSY, carried_out=True, method="PUT"))
        self.put(store)
        assert google.objects["p/large"][0] == self.CONTENT
        assert len(self.ranges(google)) == 2

    def test_an_upload_that_gets_nowhere_is_given_up_and_taken_back(
        self, google: GoogleServer, store: GoogleStore
    ) -> None:
        before = google.write("p/large", b"as it was")
        google.fail(*[Fault(BUSY, method="PUT")] * 60)
        with pytest.raises(StoreUnavailableError, match="writing p/large in bucket 'bucket'"):
            self.put(store)
        assert google.uploads == {}
        assert google.objects["p/large"] == (b"as it was", before)

    def test_an_upload_that_is_forgotten_is_told(self, google: GoogleServer, store: GoogleStore) -> None:
        google.fail(Fault(error(410, "gone"), method="PUT"))
        with pytest.raises(StoreUnavailableError, match="the upload of p/large is unknown to the server"):
            self.put(store)


def test_many_objects_are_deleted_side_by_side(google: GoogleServer, store: GoogleStore) -> None:
    for number in range(50):
        google.write(f"p/{number}", b"")
    store.delete([str(number) for number in range(50)])
    assert google.objects == {}
    assert 1 < len(google.clients) <= 8


def test_markers_of_folders_are_not_listed(google: GoogleServer, store: GoogleStore) -> None:
    for key in ("p/", "p/a/", "p/a/b"):
        google.write(key, b"x")
    assert [info.key for info in store.list("")] == ["a/b"]


def test_a_page_that_fails_is_asked_for_again(google: GoogleServer, store: GoogleStore) -> None:
    google.page = 2
    for number in range(5):
        google.write(f"p/{number}", b"x")
    google.fail(Fault(BUSY, asked="pageToken"))
    assert [info.key for info in store.list("")] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "https://storage.googleapis.com"),
        ({"STORAGE_EMULATOR_HOST": "localhost:4443"}, "http://localhost:4443"),
        ({"STORAGE_EMULATOR_HOST": "https://fake:4443/"}, "https://fake:4443"),
        (
            {
                "HEADWAY_GS_ENDPOINT_URL": "https://storage-x.p.googleapis.com",
                "STORAGE_EMULATOR_HOST": "fake",
            },
            "https://storage-x.p.googleapis.com",
        ),
    ],
)
def test_where_a_bucket_is(environ: dict[str, str], url: str) -> None:
    address = address_from_environment("bucket", environ)
    assert address.server.url == url
    assert address.emulated == ("HEADWAY_GS_ENDPOINT_URL" not in environ and bool(environ))
