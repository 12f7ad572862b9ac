"""Addresses read and written by hand say what ``urllib.parse`` would."""

from urllib.parse import quote as library_quote
from urllib.parse import urlsplit

import pytest

from headway.store.addresses import plain_address, quote


@pytest.mark.parametrize(
    "text",
    ["s3://bucket", "s3://bucket/a/b/", "S3://My.Bucket//a", "http://host:9000", " https://host/x/../y "],
)
def test_plain_addresses_are_read_as_the_library_reads_them(text: str) -> None:
    plain, url = plain_address(text), urlsplit(text.strip())
    assert plain == (url.scheme, url.netloc, url.path)


@pytest.mark.parametrize(
    "text",
    [
        "", "bucket", "://bucket", "s3://", "s3:///prefix", "s3://b?x=1", "s3://b#x", "s3://me@b", "http://[::1]:80",
        "http://host/a;b", "http://host/%41", "s3://b/a b", "s3://bü", "s3://b/\x00", "s3://b\n/c", "a+b://c",
    ],
)  # fmt: skip
def test_whatever_is_unusual_is_left_to_the_library(text: str) -> None:
    assert plain_address(text) is None


@pytest.mark.parametrize("safe", ["", "/"])
def test_quoting_is_the_librarys(safe: str) -> None:
    for text in ("", "plain-_.~09", "a/b", "a b+c%", "naïve/ü€😀", "".join(map(chr, range(256)))):
        assert quote(text, safe.encode()) == library_quote(text, safe=safe + "-_.~")
