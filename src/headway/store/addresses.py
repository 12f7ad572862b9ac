"""The common forms of addresses, read and written by hand: ``urllib.parse`` takes longer to import than a pod has."""

from typing import NamedTuple, Optional

_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~"


class PlainAddress(NamedTuple):
    """``scheme://host:port/path`` with nothing else in it.

    Attributes:
        scheme: In lower case.
        place: Host and port as written.
        path: With its slash, or "".
    """

    scheme: str
    place: str
    path: str


def plain_address(text: str) -> Optional[PlainAddress]:
    """The parts of an address, None where it needs a real parser: users, queries, brackets, anything unusual."""
    scheme, separator, rest = text.strip().partition("://")
    place, slash, path = rest.partition("/")
    usual = separator and scheme.isalnum() and text.isascii() and text.isprintable()
    if not usual or not place or any(character in rest for character in "?#@[];%\\ "):
        return None
    return PlainAddress(scheme.lower(), place, slash + path)


def quote(text: str, safe: bytes = b"") -> str:
    """The text with all but letters, digits, ``_.-~`` and what is said to be safe as ``%XX`` of its UTF-8."""
    data, kept = text.encode(), _UNRESERVED + safe
    if not data.translate(None, kept):
        return text
    return "".join(chr(byte) if byte in kept else f"%{byte:02X}" for byte in data)
