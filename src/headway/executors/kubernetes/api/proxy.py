"""Which proxy leads to a server, by the rules of Go's HTTP client, which kubectl's users know."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from headway.errors import ClusterConfigurationError


def proxy_for(server: str, environ: Mapping[str, str]) -> str | None:
    """Choose the proxy for a server from HTTPS_PROXY, HTTP_PROXY and NO_PROXY.

    Args:
        server: The server's URL.
        environ: The environment; upper case names win over lower case ones.

    Returns:
        The proxy's URL, or None.
    """
    url = urlsplit(server)
    name = "HTTPS_PROXY" if url.scheme == "https" else "HTTP_PROXY"
    proxy = environ.get(name) or environ.get(name.lower())
    if not proxy or _is_local(url.hostname or ""):
        return None
    exceptions = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    if any(_matches(entry.strip().lower(), url) for entry in exceptions.split(",")):
        return None
    return checked_proxy(proxy, f"the variable {name}")


def checked_proxy(proxy: str, source: str) -> str:
    """Complete a proxy's address with a scheme and refuse the schemes we cannot speak.

    Args:
        proxy: The address as a person wrote it.
        source: Where it was written, for the message.

    Raises:
        ClusterConfigurationError: If it is not an HTTP proxy.
    """
    url = proxy if "://" in proxy else f"http://{proxy}"
    scheme = urlsplit(url).scheme
    if scheme not in ("http", "https"):
        raise ClusterConfigurationError(
            f"The proxy given by {source} is of type {scheme}, only http and https proxies are supported.",
            "Use an HTTP proxy, or a tunnel with the proxy setting removed.",
        )
    return url


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _matches(entry: str, url: SplitResult) -> bool:
    if not entry:
        return False
    if entry == "*":
        return True
    host = (url.hostname or "").lower()
    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        pass  # one of the two is a name, or the entry has a port
    name, _, port = entry.rpartition(":") if entry.count(":") == 1 else (entry, "", "")
    if port and port != str(url.port or (443 if url.scheme == "https" else 80)):
        return False
    name = name.removeprefix("*")
    return host.endswith(name) if name.startswith(".") else host == name or host.endswith("." + name)
