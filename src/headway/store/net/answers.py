"""What a server answers, and what is read out of it."""

from typing import Mapping, NamedTuple, Optional, Sequence, Tuple


class Answer(NamedTuple):
    """A server's answer.

    Attributes:
        status: The HTTP status.
        headers: By lower-case name.
        body: The whole body; empty where it went into the caller's buffer.
        doubtful: An earlier try of the same call got no answer and may have been carried out.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    doubtful: bool = False


class Fault(NamedTuple):
    """An answer that is an error.

    Attributes:
        status: The HTTP status.
        code: The store's word for it, "" where there is none.
        message: The store's explanation.
        region: Where the bucket is, where stores have regions and the answer tells.
        foreign: Whether it is none of the store's: something else answers there.
    """

    status: int
    code: str
    message: str
    region: str = ""
    foreign: bool = False


class Page(NamedTuple):
    """One page of a listing.

    Attributes:
        objects: Keys and sizes.
        token: Of the next page, None on the last one.
        folders: The common prefixes, where a delimiter was asked for.
    """

    objects: Sequence[Tuple[str, int]]
    token: Optional[str]
    folders: Sequence[str] = ()
