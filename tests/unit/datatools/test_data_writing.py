"""What S3 stores: values, files, what they carry, and what is not overwritten."""

import io
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headway import S3
from headway.datatools import S3InvalidObjectError, S3NotFoundError, S3OperationError, S3PutObject
from headway.datatools.uploads import _BATCH
from headway.store.net.transfers import PART_SIZE
from headway.testing.s3_server import S3Server, error
from headway.testing.store_server import Fault, Reply

LARGE = bytes(range(256)) * ((PART_SIZE + 5000) // 256)


@pytest.mark.parametrize(
    ("value", "stored"),
    [("ä", "ä".encode()), (b"x", b"x"), (bytearray(b"x"), b"x"), ("", b""), (io.BytesIO(b"file"), b"file")],
)
def test_a_value(s3: S3, server: S3Server, value: object, stored: bytes) -> None:
    assert s3.put("/k", value) == "s3://bucket/root/k"
    assert server.objects == {"root/k": stored}


@pytest.mark.parametrize("value", [3, None, io.StringIO("text"), ["x"]])
def test_what_is_no_value(s3: S3, server: S3Server, value: object) -> None:
    with pytest.raises(S3InvalidObjectError, match="'k'"):
        s3.put("k", value)
    with pytest.raises(S3InvalidObjectError, match="'k'"):
        s3.put_many([("fine", "x"), ("k", value)])
    assert server.objects == {}


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ("ab", "is 'ab' (str)"),
        (3, "is 3 (int)"),
        ({"a": "b"}, "is a dict"),
        (S3PutObject("a", "b"), "is S3PutObject(key='a'"),
        ([("fine", "x"), "ab"], "holds 'ab', which is no pair"),
        ([("fine", "x"), ("a",)], "holds ('a',), which is no pair"),
        (iter([("a", "b", "c")]), "holds ('a', 'b', 'c'), which is no pair"),
    ],
)
def test_what_is_no_list_of_pairs(s3: S3, server: S3Server, pairs: Any, words: str) -> None:
    method, name = (s3.put_many, "key_objs") if words != "is a dict" else (s3.put_files, "key_paths")
    with pytest.raises(S3InvalidObjectError, match=re.escape(f"{name} {words}")):
        method(pairs)
    assert server.objects == {}


def test_a_value_is_looked_at_before_its_place(server: S3Server) -> None:
    with S3() as s3:
        for store in (lambda: s3.put("no url", 1), lambda: s3.put_many([("no url", 1)])):
            with pytest.raises(S3InvalidObjectError, match="a int cannot be stored"):
                store()


def test_a_file_is_read_from_its_beginning_by_put_and_from_where_it_stands_by_put_many(
    s3: S3, server: S3Server
) -> None:
    file = io.BytesIO(b"0123")
    file.read(2)
    s3.put_many([("rest", file)])
    s3.put("all", file)
    assert server.objects == {"root/rest": b"23", "root/all": b"0123"}
    assert not file.closed


def test_what_an_object_carries(s3: S3, server: S3Server) -> None:
    s3.put("k", "x", content_type="text/csv", metadata={"rows": 1, "who": "ä  b"})
    s3.put_many([S3PutObject("m", "y", content_type="text/x", encryption="aws:kms", metadata={"a": "b"})])
    one, other = s3.get_many(["k", "m"])
    assert (one.content_type, one.metadata, one.encryption) == ("text/csv", {"rows": 1, "who": "ä  b"}, None)
    assert (other.content_type, other.metadata, other.encryption) == ("text/x", {"a": "b"}, "aws:kms")
    assert server.carried["root/k"]["x-amz-meta-metaflow-user-attributes"].startswith('{"rows": 1')


@pytest.mark.usefixtures("server")
def test_encryption_by_argument_or_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    with S3(s3root="s3://bucket", encryption="AES256") as s3:
        s3.put_many([("k", "x")])
        assert s3.info("k").encryption == "AES256"
    monkeypatch.setenv("METAFLOW_S3_SERVER_SIDE_ENCRYPTION", "aws:kms")
    with S3(s3root="s3://bucket") as s3:
        s3.put("k", LARGE)
        assert s3.info("k").encryption == "aws:kms"


def test_what_is_there_is_left_alone_if_asked_for(s3: S3, server: S3Server) -> None:
    s3.put("k", "first")
    assert s3.put("k", "second", overwrite=False) == "s3://bucket/root/k"
    assert s3.put_many([("k", "third"), ("new", "n")], overwrite=False) == [("new", "s3://bucket/root/new")]
    assert server.objects == {"root/k": b"first", "root/new": b"n"}
    assert s3.put_many([("k", "fourth")]) == [("k", "s3://bucket/root/k")]
    assert server.objects["root/k"] == b"fourth"


def test_of_two_that_may_not_overwrite_one_wins(s3: S3, server: S3Server) -> None:
    # The other's object comes between the look and the write.
    server.fail(Fault(error(412, "PreconditionFailed"), method="PUT"))
    assert s3.put_many([("k", "ours")], overwrite=False) == []


def test_a_write_whose_answer_was_lost_counts_as_ours(s3: S3, server: S3Server) -> None:
    server.fail(Fault(method="PUT", carried_out=True))
    assert s3.put_many([("k", "ours")], overwrite=False) == [("k", "s3://bucket/root/k")]


def test_many_in_order(s3: S3, server: S3Server) -> None:
    stored = s3.put_many((str(number), str(number)) for number in range(_BATCH + 10))
    assert stored == [(str(number), f"s3://bucket/root/{number}") for number in range(_BATCH + 10)]
    assert len(server.objects) == _BATCH + 10
    assert s3.put_many([]) == s3.put_files([]) == []


def test_a_generator_is_not_read_ahead_of_the_uploads(s3: S3, server: S3Server) -> None:
    there: list[int] = []

    def values() -> Iterator[tuple[str, str]]:
        for number in range(2 * _BATCH):
            there.append(len(server.objects))
            yield str(number), "x"

    s3.put_many(values())
    assert (there[_BATCH - 1], there[_BATCH]) == (0, _BATCH)


def test_files(s3: S3, server: S3Server, tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b"small")
    large.write_bytes(LARGE)
    stored = s3.put_files(
        [("a", str(small)), S3PutObject("b", path=str(large), content_type="t/t"), ("c", small)]
    )
    assert [key for key, _ in stored] == ["a", "b", "c"]
    assert server.objects == {"root/a": b"small", "root/b": LARGE, "root/c": b"small"}
    assert server.carried["root/b"] == {"content-type": "t/t"}
    assert server.uploads == {}


def test_a_file_that_is_not_there(s3: S3, server: S3Server, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    with pytest.raises(S3NotFoundError, match="no local file"):
        s3.put_files([("a", str(tmp_path / "x")), ("b", str(tmp_path / "none"))])
    assert server.objects == {}


@pytest.mark.parametrize("value", [LARGE, io.BytesIO(LARGE)], ids=["bytes", "file"])
def test_a_large_value_goes_in_parts(s3: S3, server: S3Server, value: object) -> None:
    server.fail(Fault(Reply(500), asked="partNumber=1"), Fault(asked="partNumber=2"))
    s3.put("k", value)
    assert server.objects == {"root/k": LARGE}
    assert server.uploads == {}
    assert s3.put_many([("k", b"")], overwrite=False) == []


def test_a_large_one_is_not_sent_where_it_may_not_be(s3: S3, server: S3Server) -> None:
    s3.put("k", "there")
    s3.put("k", LARGE, overwrite=False)
    assert server.objects == {"root/k": b"there"}
    assert sum(len(seen.body) for seen in server.seen) == 5


def test_a_file_that_shrinks_meanwhile_leaves_nothing(s3: S3, server: S3Server, tmp_path: Path) -> None:
    class Shrinking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            self.truncate(10)
            return super().read(size)

    with pytest.raises(S3OperationError, match="shorter"):
        s3.put("k", Shrinking(LARGE))
    assert (server.objects, server.uploads) == ({}, {})


def test_no_thread_is_left(s3: S3, server: S3Server) -> None:
    before = {
        thread.name
        for thread in threading.enumerate()
        if not thread.name.endswith("(process_request_thread)")
    }
    s3.put_many([(str(number), "x") for number in range(50)])
    after = {
        thread.name
        for thread in threading.enumerate()
        if not thread.name.endswith("(process_request_thread)")
    }
    assert after == before
