"""What Azure Blob Storage answers."""

import re

from headway.store.net.answers import Answer, Fault, Page
from headway.store.net.markup import text_of


def parse_fault(answer: Answer, method: str) -> Fault:
    """What an answer with an error says."""
    body = answer.body.decode("utf-8", "replace")
    # The header has it even where there is no body.
    code = answer.headers.get("x-ms-error-code", "") or text_of(body, "Code")
    # The first line is the message; then follow the request's id and the time.
    message = text_of(body, "Message").partition("\n")[0].strip()
    detail = text_of(body, "AuthenticationErrorDetail").partition("\n")[0].strip()
    foreign = not code and "x-ms-request-id" not in answer.headers
    return Fault(answer.status, code, f"{message} {detail}".strip(), foreign=foreign and method != "HEAD")


def parse_page(body: bytes) -> Page:
    """A page of List Blobs: without what is a folder on accounts that have real ones."""
    text = body.decode("utf-8", "replace")
    blobs = re.findall(r"<Blob>(.*?)</Blob>", text, re.DOTALL)
    objects = [
        (_name(item), int(text_of(item, "Content-Length") or 0))
        for item in blobs
        if text_of(item, "ResourceType") != "directory"
    ]
    folders = [_name(item) for item in re.findall(r"<BlobPrefix>(.*?)</BlobPrefix>", text, re.DOTALL)]
    return Page(objects, text_of(text, "NextMarker") or None, folders)


def _name(item: str) -> str:
    name = text_of(item, "Name")
    if '<Name Encoded="true">' in item:
        from urllib.parse import unquote  # for names that no XML can hold only

        return unquote(name)
    return name
