"""How requests show who sends them: signed with an account's key, as a function of the request and the key."""

import time
from binascii import Error, a2b_base64, b2a_base64
from typing import Mapping, NamedTuple, Optional

from headway.errors import StoreConfigurationError
from headway.store.digest import hmac_sha256
from headway.store.net.session import Query

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

#: What is signed of the headers that are not the protocol's own, in this order.
_SIGNED = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)


class Credentials(NamedTuple):
    """One of three: an account's key, a shared access signature, or a token of an identity.

    Attributes:
        key: The account's key, in base64 as it is given out.
        signature: The query of a shared access signature, without its question mark.
        token: Of Microsoft Entra.
        expires: When it ends, in seconds since the epoch.
    """

    key: str = ""
    signature: str = ""
    token: str = ""
    expires: Optional[float] = None

    def __repr__(self) -> str:
        kind = "key" if self.key else "signature" if self.signature else "token"
        return f"Credentials({kind}=…)"


def http_date(now: float) -> str:
    """The time as headers write it, whatever the locale: ``Sun, 06 Nov 1994 08:49:37 GMT``."""
    year, month, day, hour, minute, second, weekday = time.gmtime(now)[:7]
    clock = f"{hour:02}:{minute:02}:{second:02}"
    return f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year} {clock} GMT"


def shared_key(
    method: str, path: str, query: Query, headers: Mapping[str, str], account: str, key: str
) -> str:
    """The value of the Authorization header.

    Args:
        method: The HTTP method.
        path: The encoded path.
        query: The query, not encoded.
        headers: All that are sent, by lower-case name.
        account: Whose key it is.
        key: In base64.

    Raises:
        StoreConfigurationError: The key is no base64.
    """
    plain = [headers.get(name, "") for name in _SIGNED]
    if plain[2] == "0":  # a length of nothing is not written down
        plain[2] = ""
    own = sorted(name for name in headers if name.startswith("x-ms-"))
    lines = [method, *plain, *(f"{name}:{' '.join(headers[name].split())}" for name in own)]
    lines.append(f"/{account}{path}")
    lines += [f"{name.lower()}:{value}" for name, value in sorted(query)]
    try:
        secret = a2b_base64(key.encode())
    except (Error, ValueError):
        secret = b""
    if not secret:
        raise StoreConfigurationError(
            f"the key of the storage account {account!r} is no base64, so it was not copied whole",
            "Copy it again: az storage account keys list --account-name <account>",
        )
    digest = hmac_sha256(secret, "\n".join(lines).encode())
    return f"SharedKey {account}:{b2a_base64(digest, newline=False).decode()}"
