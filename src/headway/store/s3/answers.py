"""What S3 answers, read with small expressions: an XML parser costs more to import than it reads here."""

import re
from typing import List, Mapping, NamedTuple, Optional, Sequence, Tuple

_ENTITY = re.compile(r"&(#x[0-9a-fA-F]+|#[0-9]+|lt|gt|amp|quot|apos);")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_ERROR_DOCUMENT = re.compile(rb"\s*(?:<\?xml[^>]*\?>)?\s*<Error[\s>]")


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
        code: S3's word for it, "" where there is none.
        message: S3's explanation.
        region: Where the bucket is, if the answer tells.
        foreign: Whether it is none of S3's: something else answers there.
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


def text_of(body: str, tag: str) -> str:
    """The text of the first element with this tag, "" where there is none."""
    found = re.search(f"<{tag}(?: [^>]*)?>(.*?)</{tag}>", body, re.DOTALL)
    return _unescape(found.group(1)) if found else ""


def is_error_document(body: bytes) -> bool:
    """Whether the body is an error, whatever the status said: some calls fail after a 200 was sent."""
    return _ERROR_DOCUMENT.match(body) is not None


def parse_fault(answer: Answer, method: str) -> Fault:
    """What an answer with an error says; to HEAD there is no body to say it."""
    body = answer.body.decode("utf-8", "replace")
    region = answer.headers.get("x-amz-bucket-region") or text_of(body, "Region")
    code = text_of(body, "Code")
    return Fault(answer.status, code, text_of(body, "Message"), region, not code and method != "HEAD")


def parse_page(body: bytes) -> Page:
    """A page of ListObjectsV2."""
    text = body.decode("utf-8", "replace")
    objects = [
        (text_of(item, "Key"), int(text_of(item, "Size") or 0))
        for item in re.findall(r"<Contents>(.*?)</Contents>", text, re.DOTALL)
    ]
    folders = [
        text_of(item, "Prefix")
        for item in re.findall(r"<CommonPrefixes>(.*?)</CommonPrefixes>", text, re.DOTALL)
    ]
    more = text_of(text, "IsTruncated") == "true"
    return Page(objects, text_of(text, "NextContinuationToken") if more else None, folders)


def parse_delete_errors(body: bytes) -> List[Tuple[str, str, str]]:
    """What a bulk delete did not delete: key, code and message of each."""
    text = body.decode("utf-8", "replace")
    errors = re.findall(r"<Error>(.*?)</Error>", text, re.DOTALL)
    return [(text_of(item, "Key"), text_of(item, "Code"), text_of(item, "Message")) for item in errors]


def escape(text: str) -> str:
    """The text as it stands in an XML document."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _unescape(text: str) -> str:
    if "&" not in text:
        return text

    def character(found: "re.Match[str]") -> str:
        name = found.group(1)
        if name.startswith("#x"):
            return chr(int(f"0{name[1:]}", 16))
        return chr(int(name[1:])) if name.startswith("#") else _NAMED[name]

    return _ENTITY.sub(character, text)
