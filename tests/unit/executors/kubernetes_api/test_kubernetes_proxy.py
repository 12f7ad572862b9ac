"""Which proxy leads to a server."""

import pytest

from headway.errors import ClusterConfigurationError
from headway.executors.kubernetes.api.proxy import checked_proxy, proxy_for

PROXY = "http://proxy:3128"


@pytest.mark.parametrize(
    ("server", "no_proxy", "used"),
    [
        ("https://api.example.com:6443", "", True),
        ("https://api.example.com:6443", "example.com", False),
        ("https://api.example.com:6443", ".example.com", False),
        ("https://api.example.com:6443", "*.example.com", False),
        ("https://example.com", ".example.com", True),
        ("https://badexample.com", "example.com", True),
        ("https://api.example.com:6443", "api.example.com:6443", False),
        ("https://api.example.com:6443", "api.example.com:443", True),
        ("https://API.example.com", "api.EXAMPLE.com", False),
        ("https://10.1.2.3:6443", "10.0.0.0/8", False),
        ("https://10.1.2.3:6443", "10.2.0.0/16,10.1.2.3", False),
        ("https://192.168.1.1", "10.0.0.0/8", True),
        ("https://[fd00::1]:6443", "fd00::/8", False),
        ("https://anything", "*", False),
        ("https://anything", " , other ", True),
        ("https://localhost:6443", "", False),
        ("https://127.0.0.1:6443", "", False),
        ("https://[::1]:6443", "", False),
    ],
)
def test_exceptions(server: str, no_proxy: str, used: bool) -> None:
    assert proxy_for(server, {"HTTPS_PROXY": PROXY, "NO_PROXY": no_proxy}) == (PROXY if used else None)


def test_names_of_the_variables() -> None:
    assert proxy_for("https://x", {"https_proxy": "proxy:1"}) == "http://proxy:1"
    assert proxy_for("https://x", {"HTTPS_PROXY": "http://a", "https_proxy": "http://b"}) == "http://a"
    assert proxy_for("https://x", {"HTTP_PROXY": "http://a"}) is None
    assert proxy_for("http://x", {"HTTP_PROXY": "http://a"}) == "http://a"
    assert proxy_for("https://x", {"HTTPS_PROXY": "http://a", "no_proxy": "x"}) is None


def test_a_proxy_we_cannot_speak_to() -> None:
    with pytest.raises(ClusterConfigurationError, match=r"proxy-url in f is of type socks5"):
        checked_proxy("socks5://me:secret@host", "proxy-url in f")
