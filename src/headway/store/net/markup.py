"""XML as stores answer it, read with small expressions: a parser costs more to import than it reads here."""

import re

_ENTITY = re.compile(r"&(#x[0-9a-fA-F]+|#[0-9]+|lt|gt|amp|quot|apos);")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_ERROR_DOCUMENT = re.compile(rb"\s*(?:<\?xml[^>]*\?>)?\s*<Error[\s>]")


def text_of(body: str, tag: str) -> str:
    """The text of the first element with this tag, "" where there is none."""
    found = re.search(f"<{tag}(?: [^>]*)?>(.*?)</{tag}>", body, re.DOTALL)
    return _unescape(found.group(1)) if found else ""


def is_error_document(body: bytes) -> bool:
    """Whether the body is an error, whatever the status said: some calls fail after a 200 was sent."""
    return _ERROR_DOCUMENT.match(body) is not None


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
