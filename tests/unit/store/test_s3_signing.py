"""Signatures against values that AWS published: the S3 manual's examples and the version 4 test suite."""

import pytest

from headway.store.s3.signing import (
    EMPTY_PAYLOAD,
    Credentials,
    Query,
    Scope,
    authorization,
    encode_path,
    encode_query,
    timestamp,
)

MANUAL = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
SUITE = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
WELCOME = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
FORM = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "payload", "signature"),
    [
        (
            "GET",
            "/test.txt",
            [],
            {"range": "bytes=0-9"},
            EMPTY_PAYLOAD,
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT",
            "/test$file.text",
            [],
            {"date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
            WELCOME,
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            "GET",
            "/",
            [("lifecycle", "")],
            {},
            EMPTY_PAYLOAD,
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "GET",
            "/",
            [("prefix", "J"), ("max-keys", "2")],
            {},
            EMPTY_PAYLOAD,
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
    ids=["get", "put", "lifecycle", "list"],
)
def test_the_examples_of_the_s3_manual(
    method: str, path: str, query: Query, headers: dict[str, str], payload: str, signature: str
) -> None:
    signed = {
        "host": "examplebucket.s3.amazonaws.com",
        "x-amz-content-sha256": payload,
        "x-amz-date": "20130524T000000Z",
        **headers,
    }
    given = authorization(
        method, encode_path(path), encode_query(query), signed, payload, MANUAL, Scope("us-east-1", "s3")
    )
    assert given.startswith(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders="
    )
    assert given.endswith(f"Signature={signature}")


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "payload", "signature"),
    [
        (
            "GET",
            "/",
            [],
            {},
            EMPTY_PAYLOAD,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "GET",
            "/",
            [("Param2", "value2"), ("Param1", "value1")],
            {},
            EMPTY_PAYLOAD,
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "GET",
            "/ሴ",
            [],
            {},
            EMPTY_PAYLOAD,
            "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
        ),
        (
            "POST",
            "/",
            [],
            {},
            EMPTY_PAYLOAD,
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "POST",
            "/",
            [],
            {"content-type": "application/x-www-form-urlencoded"},
            FORM,
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ],
    ids=[
        "get-vanilla",
        "get-vanilla-query-order-key-case",
        "get-utf8",
        "post-vanilla",
        "post-x-www-form-urlencoded",
    ],
)
def test_the_version_4_test_suite(
    method: str, path: str, query: Query, headers: dict[str, str], payload: str, signature: str
) -> None:
    signed = {"host": "example.amazonaws.com", "x-amz-date": "20150830T123600Z", **headers}
    given = authorization(
        method, encode_path(path), encode_query(query), signed, payload, SUITE, Scope("us-east-1", "service")
    )
    assert given.endswith(f"Signature={signature}")


def test_whitespace_in_headers_is_folded() -> None:
    scope = Scope("us-east-1", "s3")
    plain = {"host": "h", "x-amz-date": "20150830T123600Z", "x-amz-meta": "a b"}
    padded = {**plain, "x-amz-meta": "  a   b "}
    assert authorization("GET", "/", "", plain, EMPTY_PAYLOAD, SUITE, scope) == authorization(
        "GET", "/", "", padded, EMPTY_PAYLOAD, SUITE, scope
    )


def test_encoding_leaves_only_what_the_protocol_calls_unreserved() -> None:
    assert encode_path("/a b/ü+%=~-_.") == "/a%20b/%C3%BC%2B%25%3D~-_."
    assert encode_query([("b", "x/y z"), ("a", "+&=")]) == "a=%2B%26%3D&b=x%2Fy%20z"


def test_timestamp_is_utc() -> None:
    assert timestamp(1369353600.9) == "20130524T000000Z"


def test_credentials_do_not_show_their_secret() -> None:
    assert "wJalr" not in repr(MANUAL)
    assert "wJalr" not in f"{MANUAL}"
