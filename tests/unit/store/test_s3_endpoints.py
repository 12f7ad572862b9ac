"""Where a bucket is reached, and through which proxy."""

from pathlib import Path

import pytest
from loopback import Loopback

from headway.errors import StoreConfigurationError, StoreUnavailableError
from headway.store.net.endpoints import Endpoint, parse_endpoint
from headway.store.net.proxies import proxy_for
from headway.store.net.retries import RetryPolicy
from headway.store.s3.client import S3Store
from headway.store.s3.endpoints import S3Address, address_from_environment
from headway.store.s3.session import Session
from headway.testing.s3_server import S3Server

NO_FILES = {"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (S3Address("b"), "https://b.s3.us-east-1.amazonaws.com"),
        (S3Address("b", "eu-west-1"), "https://b.s3.eu-west-1.amazonaws.com"),
        (S3Address("b", "cn-north-1"), "https://b.s3.cn-north-1.amazonaws.com.cn"),
        (S3Address("my.bucket", "eu-west-1"), "https://s3.eu-west-1.amazonaws.com/my.bucket"),
        (S3Address("b", endpoint="http://minio:9000"), "http://minio:9000/b"),
        (S3Address("b", endpoint="https://host/s3/"), "https://host/s3/b"),
        (S3Address("b", endpoint="https://host:443"), "https://host/b"),
        (S3Address("b", endpoint="http://[::1]:9000"), "http://[::1]:9000/b"),
    ],
)
def test_the_bucket_is_in_the_host_on_aws_and_in_the_path_elsewhere(address: S3Address, url: str) -> None:
    assert address.server.url == url


@pytest.mark.parametrize("url", ["minio:9000", "ftp://host", "http://", "http://host:port", ""])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(StoreConfigurationError, match="is not the address of a server"):
        parse_endpoint(url)


def test_the_most_special_variable_names_the_endpoint() -> None:
    environ = {
        **NO_FILES,
        "AWS_ENDPOINT_URL": "http://general",
        "AWS_ENDPOINT_URL_S3": "http://s3",
        "METAFLOW_S3_ENDPOINT_URL": "http://metaflow",
        "HEADWAY_S3_ENDPOINT_URL": "http://headway",
    }
    found = []
    for name in (
        "HEADWAY_S3_ENDPOINT_URL",
        "METAFLOW_S3_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL",
    ):
        found.append(address_from_environment("b", environ).endpoint)
        del environ[name]
    assert found == ["http://headway", "http://metaflow", "http://s3", "http://general"]
    assert address_from_environment("b", environ) == S3Address("b", "us-east-1", None)


def test_region_and_endpoint_of_the_profile_come_last(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile x]\nregion = eu-north-1\nendpoint_url = http://profile\n")
    environ = {**NO_FILES, "AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_PROFILE": "x"}
    assert address_from_environment("b", environ) == S3Address("b", "eu-north-1", "http://profile")
    environ |= {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://variable"}
    assert address_from_environment("b", environ) == S3Address("b", "eu-west-1", "http://variable")
    environ["AWS_REGION"] = "eu-west-2"
    assert address_from_environment("b", environ).region == "eu-west-2"


PLAIN = Endpoint(False, "minio.storage.svc", 9000)
SECURE = Endpoint(True, "b.s3.eu-west-1.amazonaws.com", 443)


def test_the_scheme_picks_the_proxy() -> None:
    environ = {
        "HTTP_PROXY": "http://plain:1",
        "https_proxy": "http://u%40:p@secure:2",
        "HTTPS_PROXY": "http://x",
    }
    plain, secure = proxy_for(PLAIN, environ), proxy_for(SECURE, environ)
    assert plain is not None
    assert secure is not None
    assert (plain.host, plain.port, plain.headers) == ("plain", 1, {})
    assert (secure.host, secure.port) == ("secure", 2)
    assert secure.headers == {"Proxy-Authorization": "Basic dUA6cA=="}
    assert proxy_for(PLAIN, {"HTTPS_PROXY": "http://x"}) is None
    other = proxy_for(PLAIN, {"ALL_PROXY": "all:3"})
    assert other is not None
    assert (other.host, other.port) == ("all", 3)


@pytest.mark.parametrize(
    "excluded",
    [
        "*",
        "minio.storage.svc",
        ".storage.svc",
        "*.svc",
        "svc",
        "other, minio.storage.svc:9000",
        "MINIO.storage.svc",
    ],
)
def test_no_proxy_for_names(excluded: str) -> None:
    assert proxy_for(PLAIN, {"HTTP_PROXY": "http://p:1", "NO_PROXY": excluded}) is None


@pytest.mark.parametrize(
    "excluded", ["storage", "inio.storage.svc", "minio.storage.svc:9001", "10.0.0.0/8", ",", ""]
)
def test_what_no_proxy_does_not_cover(excluded: str) -> None:
    assert proxy_for(PLAIN, {"HTTP_PROXY": "http://p:1", "NO_PROXY": excluded}) is not None


@pytest.mark.parametrize(
    ("host", "excluded", "direct"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("10.1.2.3", "10.1.2.3:9000", True),
        ("fd00::1", "fd00::/8", True),
        ("::1", "[::1]:9000", True),
        ("::1", "::1", True),
    ],
)
def test_no_proxy_for_addresses(host: str, excluded: str, direct: bool) -> None:
    found = proxy_for(Endpoint(False, host, 9000), {"HTTP_PROXY": "http://p:1", "NO_PROXY": excluded})
    assert (found is None) is direct


@pytest.mark.parametrize("value", ["https://secure:1", "socks5://p:1", "http://p:x", "http://"])
def test_a_proxy_of_another_kind_is_refused(value: str) -> None:
    with pytest.raises(StoreConfigurationError, match="HTTP_PROXY does not name a proxy"):
        proxy_for(PLAIN, {"HTTP_PROXY": value})


def test_a_plain_request_goes_whole_to_the_proxy(server: S3Server, web: Loopback) -> None:
    environ = {**server.environ, "HTTP_PROXY": f"http://user:pass@127.0.0.1:{web.port}", "NO_PROXY": ""}
    web.answers[f"GET {server.url}/bucket/a"] = (200, "by proxy")
    assert S3Store("bucket", environ=environ).get("a") == b"by proxy"
    assert web.requests[0].headers["host"] == f"127.0.0.1:{server.port}"
    assert web.requests[0].headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"
    assert "proxy-authorization" not in web.requests[0].headers["authorization"]


def test_a_proxy_is_left_out_where_the_environment_says_so(server: S3Server) -> None:
    environ = {**server.environ, "HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "127.0.0.0/8"}
    store = S3Store("bucket", environ=environ)
    store.put("a", b"x")
    assert server.objects == {"a": b"x"}


def test_a_secure_request_tunnels_through_the_proxy(web: Loopback) -> None:
    environ = {
        **NO_FILES,
        "AWS_ACCESS_KEY_ID": "AK",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_ENDPOINT_URL_S3": "https://store.example:9000",
        "HTTPS_PROXY": f"http://user:pass@127.0.0.1:{web.port}",
    }
    session = Session(address_from_environment("b", environ), environ, RetryPolicy(tries=1))
    with pytest.raises(
        StoreUnavailableError, match=rf"through the proxy 127\.0\.0\.1:{web.port}.*404"
    ) as caught:
        S3Store("b", session=session).get("a")
    assert web.requests[0][:2] == ("CONNECT", "store.example:9000")
    assert web.requests[0].headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"
    assert "pass" not in str(caught.value)
