"""Large objects of the pod's own client: parts, ranges, and what happens when one fails."""

import pytest

from headway.errors import KeyNotFoundError, StoreConfigurationError, StoreError, StoreUnavailableError
from headway.store.net.transfers import PART_SIZE, split_parts
from headway.store.s3.client import S3Store
from headway.testing.s3_server import S3Server, error
from headway.testing.store_server import Fault, Reply

LARGE = bytes(range(256)) * ((2 * PART_SIZE + (1 << 20)) // 256)


@pytest.fixture
def store(s3_store: S3Store) -> S3Store:
    return s3_store


def requests(server: S3Server, method: str, asked: str = "") -> int:
    return len([seen for seen in server.seen if seen.method == method and asked in seen.target])


def test_parts_are_cut_across_buffers_without_copies() -> None:
    content = b"0123456789abcdefghij"
    views = [memoryview(content)[:7], memoryview(content)[7:8], memoryview(content)[8:]]
    parts = split_parts(views, 6)
    assert [b"".join(part) for part in parts] == [b"012345", b"6789ab", b"cdefgh", b"ij"]
    assert all(piece.obj is content for part in parts for piece in part)


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_parts_of_any_size_hold_everything(size: int) -> None:
    views = [memoryview(b"abc"), memoryview(b"defgh"), memoryview(b"i")]
    parts = split_parts(views, size)
    assert b"".join(piece for part in parts for piece in part) == b"abcdefghi"
    assert all(sum(map(len, part)) == size for part in parts[:-1])


def test_a_large_object_goes_in_parts(server: S3Server, store: S3Store) -> None:
    store.put("a", [LARGE[:100], LARGE[100:]])
    assert server.objects["a"] == LARGE
    assert server.uploads == {}
    assert requests(server, "PUT", "partNumber=") == 3


def test_a_part_that_fails_is_sent_again(server: S3Server, store: S3Store) -> None:
    server.fail(Fault(Reply(500), asked="partNumber=2"), Fault(asked="partNumber=3"))
    store.put("a", LARGE)
    assert server.objects["a"] == LARGE


def test_an_upload_that_fails_is_aborted(server: S3Server, store: S3Store) -> None:
    server.fail(Fault(error(403, "AccessDenied"), asked="partNumber=2"))
    with pytest.raises(StoreConfigurationError, match="AccessDenied"):
        store.put("a", LARGE)
    assert server.uploads == {}
    assert server.objects == {}


def test_an_abort_that_fails_does_not_hide_why(server: S3Server, store: S3Store) -> None:
    server.fail(
        Fault(error(403, "AccessDenied"), asked="partNumber=2"), Fault(error(405, "No"), method="DELETE")
    )
    with pytest.raises(StoreConfigurationError, match="AccessDenied"):
        store.put("a", LARGE)


def test_a_completion_whose_answer_was_lost_is_a_success(server: S3Server, store: S3Store) -> None:
    server.fail(Fault(Reply(500), carried_out=True, method="POST", asked="uploadId="))
    store.put("a", LARGE)
    assert server.objects["a"] == LARGE


def test_a_completion_that_fails_after_a_good_status_is_tried_again(server: S3Server, store: S3Store) -> None:
    failed = Reply(200, b'<?xml version="1.0"?>\n<Error><Code>InternalError</Code></Error>')
    server.fail(Fault(failed, method="POST", asked="uploadId="))
    store.put("a", LARGE)
    assert server.objects["a"] == LARGE


def test_an_upload_that_somebody_aborted_is_an_error(server: S3Server, store: S3Store) -> None:
    server.fail(Fault(error(404, "NoSuchUpload", "gone"), method="POST", asked="uploadId="))
    with pytest.raises(StoreError, match="NoSuchUpload: gone"):
        store.put("a", LARGE)


def test_a_large_object_comes_in_ranges(server: S3Server, store: S3Store) -> None:
    server.objects["a"] = LARGE
    assert store.get("a") == LARGE
    assert requests(server, "GET") == 3


def test_a_small_object_comes_in_one_request(server: S3Server, store: S3Store) -> None:
    server.objects["a"] = LARGE[:PART_SIZE]
    assert store.get("a") == LARGE[:PART_SIZE]
    assert requests(server, "GET") == 1


def test_a_range_that_fails_is_asked_for_again(server: S3Server, store: S3Store) -> None:
    server.objects["a"] = LARGE
    store.size("a")
    server.fail(Fault(method="GET"), Fault(Reply(503), method="GET"))
    assert store.get("a") == LARGE


def test_an_object_that_changes_under_a_reader_is_not_mixed(server: S3Server, store: S3Store) -> None:
    server.objects["a"] = LARGE
    server.fail(Fault(error(412, "PreconditionFailed"), asked="/a", after=1))
    with pytest.raises(StoreUnavailableError, match="was overwritten while it was read"):
        store.get("a")


def test_an_object_that_vanishes_under_a_reader_is_missing(server: S3Server, store: S3Store) -> None:
    server.objects["a"] = LARGE
    server.fail(Fault(error(404, "NoSuchKey"), asked="/a", after=1))
    with pytest.raises(KeyNotFoundError):
        store.get("a")


def test_a_server_that_ignores_ranges_is_understood(server: S3Server, store: S3Store) -> None:
    server.fail(Fault(Reply(200, b"0123456789")), Fault(Reply(200, b"0123456789")))
    assert store.get("a") == b"0123456789"
    assert store.get_range("a", 2, 4) == b"23"
