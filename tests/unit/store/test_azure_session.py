"""How calls to a container go wrong, and what is made of it."""

import time
from collections.abc import Callable, Iterator

import pytest

from headway.errors import (
    KeyExistsError,
    KeyNotFoundError,
    StoreConfigurationError,
    StoreError,
    StoreUnavailableError,
)
from headway.store.azure.client import AzureStore
from headway.store.azure.endpoints import address_of
from headway.store.azure.session import Session
from headway.store.azure.signing import Credentials, http_date, shared_key
from headway.store.locations import AzureLocation
from headway.store.net.retries import RetryPolicy
from headway.store.net.transfers import PART_SIZE
from headway.testing.azure_server import KEY, SIGNATURE, AzureServer, Fault, Reply, error

Open = Callable[..., AzureStore]
BUSY = error(503, "ServerBusy", "The server is busy.")
LOCATION = AzureLocation("runs", "p")


@pytest.fixture
def server() -> Iterator[AzureServer]:
    with AzureServer() as server:
        yield server


@pytest.fixture
def open_(server: AzureServer) -> Open:
    """Opens a store that does not wait between tries."""

    def open_store(
        environ: dict[str, str] | None = None,
        container: str = "runs",
        policy: RetryPolicy = RetryPolicy(),  # noqa: B008  (a value)
        clock: Callable[[], float] = time.time,
    ) -> AzureStore:
        found = server.environ if environ is None else environ
        location = LOCATION._replace(container=container)
        address = address_of(location, found)
        return AzureStore(location, Session(address, found, policy, clock=clock, sleep=lambda seconds: None))

    return open_store


@pytest.fixture
def store(open_: Open) -> AzureStore:
    return open_()


def test_a_request_is_signed_as_the_protocol_says() -> None:
    headers = {
        "x-ms-date": http_date(784111777.0),
        "x-ms-version": "2021-12-02",
        "x-ms-blob-type": "BlockBlob",
        "content-length": "0",
        "if-none-match": "*",
    }
    assert headers["x-ms-date"] == "Sun, 06 Nov 1994 08:49:37 GMT"
    query = [("restype", "container"), ("comp", "a b")]
    signed = shared_key("PUT", "/acct/c/a%20b", query, headers, "acct", KEY)
    # Made with openssl from the text that the protocol's documentation prescribes.
    assert signed == "SharedKey acct:sydidksIeqUcq/PAz4e66JDwRFqNESZoLdissb5Uv9k="


def test_a_key_that_was_not_copied_whole_is_told(open_: Open, server: AzureServer) -> None:
    store = open_({**server.environ, "AZURE_STORAGE_KEY": "a"})
    with pytest.raises(StoreConfigurationError, match="is no base64"):
        store.get("a")
    assert not server.seen


def test_credentials_do_not_show_what_they_are() -> None:
    assert "secret" not in repr(
        [Credentials("secret"), Credentials(token="secret"), Credentials(signature="secret")]
    )


@pytest.mark.parametrize(
    "reply",
    [BUSY, error(500, "OperationTimedOut"), error(409, "ContainerBeingDeleted"), Reply(502, b"<html>"), None],
    ids=["busy", "timed-out", "being-deleted", "gateway", "hung-up"],
)
def test_passing_failures_are_tried_again(
    server: AzureServer, store: AzureStore, reply: Reply | None
) -> None:
    server.fail(Fault(reply), Fault(reply))
    store.put("a", b"x")
    assert server.blobs == {"p/a": b"x"}


def test_a_service_that_stays_busy_is_given_up(server: AzureServer, open_: Open) -> None:
    server.fail(*[Fault(BUSY)] * 3)
    with pytest.raises(
        StoreUnavailableError, match=r"container 'runs' of .* still failed after 3 tries: ServerBusy"
    ):
        open_(policy=RetryPolicy(tries=3)).put("a", b"x")


@pytest.mark.parametrize(
    ("status", "code", "message", "words", "hint"),
    [
        (
            404,
            "ContainerNotFound",
            "",
            "there is no container 'runs'",
            "az storage container create --name runs",
        ),
        (403, "AuthenticationFailed", "The MAC is wrong", "is not allowed", "must belong to the account"),
        (
            403,
            "AuthenticationFailed",
            "Signature not valid in the specified time frame",
            "have expired",
            "az login",
        ),
        (403, "AuthorizationPermissionMismatch", "", "is not allowed", "Storage Blob Data Contributor"),
        (403, "AuthorizationFailure", "", "is not allowed", "network rules"),
        (403, "KeyBasedAuthenticationNotPermitted", "", "is not allowed", "takes no keys"),
        (401, "NoAuthenticationInformation", "", "is not allowed", "racwdl"),
        (400, "InvalidResourceName", "", "cannot be the name of a container", "3 to 63"),
        (400, "InvalidInput", "no", "reading p/a in container 'runs' .* failed: InvalidInput: no", ""),
    ],
)
def test_refusals_say_what_to_do(
    server: AzureServer, store: AzureStore, status: int, code: str, message: str, words: str, hint: str
) -> None:
    server.fail(*[Fault(error(status, code, message))] * 2)
    with pytest.raises(StoreError, match=words) as caught:
        store.get("a")
    assert hint in (caught.value.hint or "")
    assert (caught.value.status, caught.value.code) == (status, code)


@pytest.mark.parametrize("call", ["get", "size"])
def test_a_container_that_is_not_there_is_no_missing_key(open_: Open, call: str) -> None:
    with pytest.raises(StoreConfigurationError, match="there is no container 'typo'"):
        getattr(open_(container="typo"), call)("a")


def test_something_else_that_answers_is_told(server: AzureServer, store: AzureStore) -> None:
    server.fail(Fault(Reply(404, b"<html>nginx</html>")))
    with pytest.raises(StoreConfigurationError, match="no Azure Blob service"):
        store.get("a")


def test_a_lease_is_no_other_version(server: AzureServer, store: AzureStore) -> None:
    store.put("a", b"x")
    tag = store.get_tagged("a")[1]
    server.fail(Fault(error(412, "LeaseIdMissing", "There is currently a lease on the blob.")))
    with pytest.raises(StoreError, match="LeaseIdMissing") as caught:
        store.replace("a", b"y", tag)
    assert not isinstance(caught.value, KeyExistsError)


def test_a_conditional_put_whose_answer_was_lost_is_settled_by_reading(
    server: AzureServer, store: AzureStore
) -> None:
    server.fail(Fault(None, carried_out=True, method="PUT"))
    store.put_if_absent("a", b"ours")
    server.blobs["p/b"] = b"theirs"
    server.fail(Fault(None, method="PUT"))
    with pytest.raises(KeyExistsError):
        store.put_if_absent("b", b"ours")


def test_a_clock_that_is_off_is_put_right(server: AzureServer, open_: Open) -> None:
    store = open_(clock=lambda: time.time() - 7200)
    server.fail(Fault(error(403, "AuthenticationFailed", "Request date header too old")))
    store.put("a", b"x")
    first, second = server.seen
    assert first.headers["x-ms-date"] != second.headers["x-ms-date"]


def test_a_shared_access_signature_is_sent_as_it_is(server: AzureServer, open_: Open) -> None:
    environ = {**server.environ, "AZURE_STORAGE_KEY": "", "AZURE_STORAGE_SAS_TOKEN": f"?{SIGNATURE}"}
    store = open_(environ)
    store.put("a b", b"x")
    assert [info.key for info in store.list("")] == ["a b"]
    assert all(seen.target.endswith(SIGNATURE) for seen in server.seen)


def test_a_large_blob_goes_in_blocks_and_comes_in_ranges(server: AzureServer, store: AzureStore) -> None:
    content = b"".join(bytes([number]) * PART_SIZE for number in range(3))
    store.put("large", [content, b"end"])
    assert server.blobs["p/large"] == content + b"end"
    puts = [seen for seen in server.seen if seen.method == "PUT"]
    assert len(puts) == 5
    assert max(len(seen.body) for seen in puts) == PART_SIZE
    assert store.get("large") == content + b"end"


def test_blocks_that_another_writer_took_are_sent_again(server: AzureServer, store: AzureStore) -> None:
    content = b"x" * (2 * PART_SIZE + 1)
    server.fail(Fault(error(400, "InvalidBlockList", "gone"), asked="comp=blocklist"))
    store.put("large", content)
    assert server.blobs["p/large"] == content


def test_an_upload_that_fails_leaves_no_blob(server: AzureServer, store: AzureStore) -> None:
    server.fail(Fault(error(403, "AuthorizationFailure"), asked="comp=block&", after=1))
    with pytest.raises(StoreConfigurationError):
        store.put("large", b"x" * (2 * PART_SIZE + 1))
    assert not server.blobs
    with pytest.raises(KeyNotFoundError):
        store.get("large")


def test_folders_of_an_account_that_has_real_ones_are_not_listed(
    server: AzureServer, store: AzureStore
) -> None:
    body = (
        "<EnumerationResults><Blobs><Blob><Name>p/f</Name><Properties><Content-Length>0</Content-Length>"
        '<ResourceType>directory</ResourceType></Properties></Blob><Blob><Name Encoded="true">p/f%2Fa%EF%BF%BE'
        "</Name><Properties><Content-Length>1</Content-Length></Properties></Blob></Blobs><NextMarker/>"
        "</EnumerationResults>"
    )
    server.fail(Fault(Reply(200, body.encode())))
    assert [tuple(info) for info in store.list("")] == [("f/a\ufffe", 1)]
