"""What S3 gives: objects, ranges and listings, and which words their places are told in."""

import re
from pathlib import Path

import pytest

from headway import S3
from headway.datatools import (
    RangeInfo,
    S3AccessDeniedError,
    S3DiskSpaceError,
    S3GetObject,
    S3InvalidRangeError,
    S3NotFoundError,
    S3OperationError,
    S3URLError,
)
from headway.datatools.buckets import THREADS
from headway.store.net.transfers import PART_SIZE
from headway.testing.s3_server import S3Server, error
from headway.testing.store_server import Fault, Reply

LARGE = bytes(range(256)) * ((2 * PART_SIZE + 5000) // 256)
TREE = {"a/0.txt": b"zero", "a/b/1.txt": b"one", "a/d/e/3.txt": b"", "ab/5.txt": b"five", "f/4.txt": b"four"}


@pytest.fixture
def tree(server: S3Server) -> S3Server:
    server.objects.update({f"root/{key}": data for key, data in TREE.items()})
    server.objects["roots/other"] = b"of another root"
    return server


def test_an_object_is_downloaded_with_what_is_known_of_it(s3: S3, tree: S3Server) -> None:
    found = s3.get("a/b/1.txt")
    assert (found.exists, found.downloaded, found.has_info) == (True, True, True)
    assert (found.blob, found.text, found.size) == (b"one", "one", 3)
    assert (found.url, found.prefix, found.key) == (
        "s3://bucket/root/a/b/1.txt",
        "s3://bucket/root",
        "a/b/1.txt",
    )
    assert found.range_info == RangeInfo(total_size=3, request_offset=0, request_length=3)
    assert found.last_modified == 1767225600.0
    assert (found.metadata, found.encryption) == (None, None)
    assert found.path is not None
    assert found.path.endswith("-1.txt"), "for what looks at the ends of names"
    assert repr(found) == "<S3Object s3://bucket/root/a/b/1.txt (3 bytes, local)>"


def test_what_is_known_can_be_left_out(s3: S3, tree: S3Server) -> None:
    found = s3.get("a/b/1.txt", return_info=False)
    assert (found.blob, found.has_info, found.range_info, found.last_modified) == (b"one", False, None, None)


def test_an_empty_object_is_an_empty_file(s3: S3, tree: S3Server) -> None:
    found = s3.get("a/d/e/3.txt")
    assert (found.exists, found.blob, found.text, found.size) == (True, b"", "", 0)
    assert found.range_info == RangeInfo(0, 0, 0)


def test_many_come_in_the_order_asked_for_and_as_often(s3: S3, tree: S3Server) -> None:
    found = s3.get_many(["f/4.txt", "a/0.txt", "f/4.txt"])
    assert [(one.key, one.blob) for one in found] == [
        ("f/4.txt", b"four"),
        ("a/0.txt", b"zero"),
        ("f/4.txt", b"four"),
    ]
    assert len({one.path for one in found}) == 3
    assert s3.get_many([]) == []


def test_more_than_there_are_threads(s3: S3, server: S3Server) -> None:
    server.objects.update({f"root/{number}": b"%d" % number for number in range(3 * THREADS)})
    found = s3.get_many(str(number) for number in range(3 * THREADS))
    assert [one.text for one in found] == [str(number) for number in range(3 * THREADS)]


@pytest.mark.parametrize("method", ["get", "get_many", "info", "info_many"])
def test_a_missing_object_is_an_error_unless_allowed(s3: S3, tree: S3Server, method: str) -> None:
    keys = ["nope"] if method.endswith("many") else "nope"
    with pytest.raises(S3NotFoundError, match=r"no object at s3://bucket/root/nope\.$"):
        getattr(s3, method)(keys)
    found = getattr(s3, method)(keys, return_missing=True)
    found = found[0] if method.endswith("many") else found
    assert (found.exists, found.downloaded, found.size, found.blob, found.text, found.path) == (
        False,
    ) * 2 + (None,) * 4
    assert (found.url, found.key, found.has_info) == ("s3://bucket/root/nope", "nope", False)
    assert repr(found) == "<S3Object s3://bucket/root/nope (no such object)>"


@pytest.mark.parametrize(
    ("offset", "length", "content", "first"),
    [
        (1, 3, b"123", 1), (1, None, b"123456789", 1), (None, 2, b"01", 0), (0, 100, b"0123456789", 0),
        (0, -2, b"89", 8), (5, -2, b"89", 8), (0, -100, b"0123456789", 0),
    ],
)  # fmt: skip
def test_a_range(
    s3: S3, server: S3Server, offset: int | None, length: int | None, content: bytes, first: int
) -> None:
    server.objects["root/x"] = b"0123456789"
    found = s3.get(S3GetObject("x", offset, length))
    assert (found.blob, found.size, found.key) == (content, len(content), "x")
    assert found.range_info == RangeInfo(10, first, len(content))
    assert s3.get_many([S3GetObject("x", offset, length)])[0].blob == content


@pytest.mark.parametrize(("offset", "length"), [(10, 1), (2, 0), (-1, None)])
def test_a_range_that_is_none(s3: S3, server: S3Server, offset: int, length: int | None) -> None:
    server.objects["root/x"] = b"0123456789"
    with pytest.raises(S3InvalidRangeError):
        s3.get(S3GetObject("x", offset, length))


@pytest.mark.parametrize(
    ("offset", "length"),
    [
        (None, None), (100, None), (100, 2 * PART_SIZE), (0, PART_SIZE + 1), (0, -(PART_SIZE + 7)),
        (0, -10 * PART_SIZE),
    ],
)  # fmt: skip
def test_large_ranges_come_in_parts(s3: S3, server: S3Server, offset: int | None, length: int | None) -> None:
    server.objects["root/x"] = LARGE
    found = s3.get(S3GetObject("x", offset, length))
    wanted = LARGE[length:] if length and length < 0 else LARGE[offset or 0 :][:length]
    assert found.blob == wanted
    assert found.range_info == RangeInfo(
        len(LARGE),
        len(LARGE) - len(wanted) if offset == 0 and (length or 0) < 0 else offset or 0,
        len(wanted),
    )
    assert len([seen for seen in server.seen if seen.method == "GET"]) >= 2


def test_a_part_that_fails_is_fetched_again(s3: S3, server: S3Server) -> None:
    server.objects["root/x"] = LARGE
    cut = Reply(
        206,
        LARGE[:1000],
        {"Content-Range": f"bytes 0-{PART_SIZE - 1}/{len(LARGE)}", "Content-Length": str(PART_SIZE)},
    )
    server.fail(Fault(cut), Fault(Reply(500), method="GET", after=1), Fault(method="GET", after=1))
    assert s3.get("x").blob == LARGE


def test_an_object_that_changes_meanwhile_is_no_mixture(s3: S3, server: S3Server) -> None:
    server.objects["root/x"] = LARGE
    server.fail(Fault(error(412, "PreconditionFailed"), method="GET", after=1))
    with pytest.raises(S3OperationError, match="overwritten while it was read"):
        s3.get("x")


def test_info_costs_one_head(s3: S3, tree: S3Server) -> None:
    found = s3.info("a/0.txt")
    assert [seen.method for seen in tree.seen] == ["HEAD"]
    assert (found.exists, found.downloaded, found.size, found.blob) == (True, False, 4, None)
    assert repr(found) == "<S3Object s3://bucket/root/a/0.txt (4 bytes, in S3)>"
    assert [one.size for one in s3.info_many(["a/0.txt", "a/d/e/3.txt"])] == [4, 0]


def test_the_next_level(s3: S3, tree: S3Server) -> None:
    top = s3.list_paths()
    assert [(one.key, one.exists, one.size) for one in top] == [
        ("a", False, None), ("ab", False, None), ("f", False, None)
    ]  # fmt: skip
    assert (top[0].url, top[0].prefix) == ("s3://bucket/root/a/", "s3://bucket/root/")
    inside = s3.list_paths(["a", "f/"])
    assert [(one.key, one.exists) for one in inside] == [
        ("0.txt", True),
        ("b", False),
        ("d", False),
        ("4.txt", True),
    ]
    assert {one.prefix for one in inside} == {"s3://bucket/root/a/", "s3://bucket/root/f/"}
    assert s3.list_paths(["zzz"]) == s3.list_paths([]) == []


def test_all_levels(s3: S3, tree: S3Server) -> None:
    assert {one.key: one.size for one in s3.list_recursive()} == {
        key: len(data) for key, data in TREE.items()
    }
    assert [one.key for one in s3.list_recursive(["a"])] == ["0.txt", "b/1.txt", "d/e/3.txt"], "and not ab"
    assert s3.list_recursive(["a/0"]) == []


def test_listings_of_several_pages(s3: S3, tree: S3Server) -> None:
    tree.page = 2
    assert [one.key for one in s3.list_recursive()] == sorted(TREE)
    assert [one.key for one in s3.list_paths()] == ["a", "ab", "f"]


def test_everything_under_a_key_is_downloaded(s3: S3, tree: S3Server) -> None:
    found = s3.get_recursive(["a/", "f"])
    assert {one.key: one.blob for one in found} == {
        "0.txt": b"zero",
        "b/1.txt": b"one",
        "d/e/3.txt": b"",
        "4.txt": b"four",
    }
    assert not any(one.has_info for one in found)
    known = s3.get_recursive(["f"], return_info=True)
    assert [(one.key, one.prefix, one.has_info) for one in known] == [("f/4.txt", "s3://bucket/root", True)]


def test_everything_under_the_root_and_nothing_beside_it(s3: S3, tree: S3Server) -> None:
    assert {one.key: one.blob for one in s3.get_all()} == TREE
    assert all(one.range_info for one in s3.get_all(return_info=True))


def test_files_go_with_the_client(server: S3Server, tmp_path: Path) -> None:
    server.objects["root/x"] = b"x"
    with S3(s3root="s3://bucket/root", tmproot=str(tmp_path)) as s3:
        path = s3.get("x").path
        assert path is not None
        assert Path(path).parent.parent == tmp_path
        assert Path(path).is_absolute()
    assert list(tmp_path.iterdir()) == []
    s3.close()


def test_what_only_writes_or_lists_makes_no_folder(s3: S3, tree: S3Server, tmp_path: Path) -> None:
    s3.put("x", "x")
    s3.list_paths()
    s3.info("x")
    assert list(tmp_path.iterdir()) == []


def test_whole_urls_where_there_is_no_root(tree: S3Server) -> None:
    with S3() as s3:
        found = s3.get("s3://bucket/root/a/0.txt")
        assert (found.key, found.prefix, found.blob) == ("s3://bucket/root/a/0.txt", None, b"zero")
        assert [one.key for one in s3.list_recursive(["s3://bucket/root/a"])] == [
            "0.txt",
            "b/1.txt",
            "d/e/3.txt",
        ]
        assert s3.put("s3://bucket/else/where", "x") == "s3://bucket/else/where"
        for key in ("a/0.txt", None):
            with pytest.raises(S3URLError, match="no root"):
                s3.get(key)
        with pytest.raises(S3URLError, match="needs a root"):
            s3.get_all()


def test_keys_with_characters_that_mean_something_in_urls(s3: S3, server: S3Server) -> None:
    key = "ä #1?x=%20/&6 <.txt"
    url = s3.put(key, "six")
    assert f"root/{key}" in server.objects
    assert (url, s3.get(key).text) == (f"s3://bucket/root/{key}", "six")
    assert [one.key for one in s3.list_recursive()] == [key]


def test_keys_with_characters_that_no_xml_can_hold_are_listed(s3: S3, server: S3Server) -> None:
    keys = ["\x01ü/a+b c.txt", "\x01ü/d.txt", "plain.txt", "ünï%41"]
    server.objects.update({f"root/{key}": key.encode() for key in keys})
    assert [one.key for one in s3.list_recursive()] == keys
    assert sorted(one.key for one in s3.list_paths()) == ["\x01ü", "plain.txt", "ünï%41"]
    assert [one.text for one in s3.get_all()] == keys


def test_a_server_that_encodes_no_names_is_taken_at_its_word(s3: S3, server: S3Server) -> None:
    page = "<Contents><Key>root/a+b%41</Key><Size>1</Size></Contents><IsTruncated>false</IsTruncated>"
    server.fail(Fault(Reply(200, f"<ListBucketResult>{page}</ListBucketResult>".encode())))
    assert [one.key for one in s3.list_recursive()] == ["a+b%41"]


def test_a_whole_url_under_a_root_is_refused(s3: S3) -> None:
    with pytest.raises(S3URLError, match="relative to s3://bucket/root"):
        s3.get("s3://bucket/root/a")


@pytest.mark.parametrize("method", ["list_paths", "list_recursive", "info_many", "get_many", "get_recursive"])
@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("dir", r"keys is 'dir', a text\. Write \['dir'\]"),
        (b"dir", r"keys is b'dir', a text"),
        (S3GetObject("dir", 0, 3), r"keys is a single S3GetObject\(key='dir'"),
        (3, r"keys is 3 \(int\)"),
    ],
)
def test_one_key_where_a_list_belongs_is_not_gone_through(
    s3: S3, tree: S3Server, method: str, keys: object, words: str
) -> None:
    with pytest.raises(S3URLError) as caught:
        getattr(s3, method)(keys)
    assert re.match(words, f"{caught.value.message} {caught.value.hint}")
    assert tree.seen == [], "nothing is asked for"


def test_a_bucket_that_is_not_there(tree: S3Server) -> None:
    with S3(s3root="s3://elsewhere") as s3, pytest.raises(S3URLError, match="there is no bucket 'elsewhere'"):
        s3.get("x")


def test_what_is_not_allowed(s3: S3, server: S3Server) -> None:
    server.fail(Fault(error(403, "AccessDenied", "no")))
    with pytest.raises(
        S3AccessDeniedError, match=r"s3://bucket/root/x: reading root/x .* is not allowed"
    ) as caught:
        s3.get("x")
    assert "s3:GetObject" in str(caught.value.hint)


def test_no_room_is_said_and_not_retried(s3: S3, server: S3Server) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    server.objects["root/x"] = b"x"
    s3._new_path = lambda place: "/dev/full"  # type: ignore[method-assign]
    with pytest.raises(S3DiskSpaceError, match="does not fit"):
        s3.get("x")
    assert len(server.seen) == 1


def test_objects_with_empty_parts_in_their_names_are_listed_like_others(s3: S3, server: S3Server) -> None:
    server.objects.update({"root//": b"slash", "root/a//b": b"twice", "root/a/": b"folder"})
    assert [found.url.removeprefix("s3://bucket/root") for found in s3.list_recursive()] == [
        "//",
        "/a/",
        "/a//b",
    ]
    assert [found.exists for found in s3.list_paths()] == [False, False]
    assert [found.text for found in s3.get_all()] == ["slash", "folder", "twice"]
