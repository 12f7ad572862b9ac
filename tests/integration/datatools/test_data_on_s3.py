"""S3 against a real server: what goes in comes out, and little of it is ever in memory."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway import S3
from headway.datatools import RangeInfo, S3AccessDeniedError, S3GetObject, S3NotFoundError, S3PutObject
from headway.store.s3.client import S3Store

BUCKET = os.environ.get("HEADWAY_TEST_BUCKET", "")

pytestmark = pytest.mark.s3


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.chdir(tmp_path)
    prefix = f"data-tests/{uuid.uuid4().hex[:12]}"
    store = S3Store(BUCKET, prefix, environ=dict(os.environ))
    yield f"s3://{BUCKET}/{prefix}"
    store.delete([info.key for info in store.list("")])


def test_values_files_and_what_they_carry(root: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"from a file")
    with S3(s3root=root) as s3:
        assert (
            s3.put("a/ä #1?.txt", "text", content_type="text/x-z", metadata={"rows": 1})
            == f"{root}/a/ä #1?.txt"
        )
        stored = s3.put_many([("a/b/1", b"one"), S3PutObject("a/b/2", "", metadata={"k": "v  w"})])
        stored += s3.put_files([("c", str(tmp_path / "file"))])
        assert [key for key, _ in stored] == ["a/b/1", "a/b/2", "c"]
        assert s3.put_many([("a/b/1", b"other"), ("d", b"new")], overwrite=False) == [("d", f"{root}/d")]

        one = s3.get("a/ä #1?.txt")
        assert (one.text, one.content_type, one.metadata) == ("text", "text/x-z", {"rows": 1})
        assert one.last_modified is not None
        found = s3.get_many(["a/b/1", "nope", "a/b/2", "c"], return_missing=True)
        assert [each.blob for each in found] == [b"one", None, b"", b"from a file"]
        assert found[2].metadata == {"k": "v  w"}
        assert s3.get(S3GetObject("c", 5, 1)).blob == b"a"
        assert s3.get(S3GetObject("c", 0, -4)).range_info == RangeInfo(11, 7, 4)
        with pytest.raises(S3NotFoundError):
            s3.info("nope")

        assert sorted((each.key, each.exists) for each in s3.list_paths()) == [
            ("a", False),
            ("c", True),
            ("d", True),
        ]
        assert sorted(each.key for each in s3.list_recursive(["a"])) == ["b/1", "b/2", "ä #1?.txt"]
        assert sorted(each.key for each in s3.get_recursive(["a/b/"])) == ["1", "2"]
        assert len(s3.get_all()) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_is_not_allowed(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
    with S3(s3root=root) as s3, pytest.raises(S3AccessDeniedError):
        s3.put("x", "x")


#: Each in a process of its own, whose peak is that of the one call.
_CALLS = {
    "put_files": "s3.put_files([('large', 'large')])",
    "put": "s3.put('large', open('large', 'rb'))",
    "get": "s3.get('large').size == SIZE or 1 / 0",
}


def test_a_large_object_passes_through_little_memory(root: str, tmp_path: Path) -> None:
    size = 300 << 20
    with (tmp_path / "large").open("wb") as file:
        block = os.urandom(1 << 20)
        for _ in range(size >> 20):
            file.write(block)
    peaks = {
        name: peak_of(f"SIZE = {size}\nwith S3(s3root={root!r}) as s3: {call}")
        for name, call in _CALLS.items()
    }
    idle = peak_of("S3(s3root='s3://x').close()")
    assert {name: peak - idle for name, peak in peaks.items() if peak - idle > 100} == {}


def peak_of(code: str) -> float:
    """The peak memory of a process that runs this, in MiB."""
    program = (
        f"import resource\nfrom headway import S3\n{code}\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)
