"""What S3 answers."""

import re
from typing import List, Tuple

from headway.store.net.answers import Answer, Fault, Page
from headway.store.net.markup import text_of


def parse_fault(answer: Answer, method: str) -> Fault:
    """What an answer with an error says; to HEAD there is no body to say it."""
    body = answer.body.decode("utf-8", "replace")
    region = answer.headers.get("x-amz-bucket-region") or text_of(body, "Region")
    code = text_of(body, "Code")
    return Fault(answer.status, code, text_of(body, "Message"), region, not code and method != "HEAD")


def parse_page(body: bytes) -> Page:
    """A page of ListObjectsV2; names that the server has encoded, because it was asked to, are decoded."""
    text = body.decode("utf-8", "replace")
    encoded = text_of(text, "EncodingType") == "url"
    objects = [
        (text_of(item, "Key"), int(text_of(item, "Size") or 0))
        for item in re.findall(r"<Contents>(.*?)</Contents>", text, re.DOTALL)
    ]
    folders = [
        text_of(item, "Prefix")
        for item in re.findall(r"<CommonPrefixes>(.*?)</CommonPrefixes>", text, re.DOTALL)
    ]
    if encoded:
        objects = [(_decoded(key), size) for key, size in objects]
        folders = [_decoded(folder) for folder in folders]
    more = text_of(text, "IsTruncated") == "true"
    return Page(objects, text_of(text, "NextContinuationToken") if more else None, folders)


def _decoded(name: str) -> str:
    if "%" in name or "+" in name:
        from urllib.parse import unquote_plus  # for the names that differ only; of them few listings have one

        return unquote_plus(name)
    return name


def parse_delete_errors(body: bytes) -> List[Tuple[str, str, str]]:
    """What a bulk delete did not delete: key, code and message of each."""
    text = body.decode("utf-8", "replace")
    errors = re.findall(r"<Error>(.*?)</Error>", text, re.DOTALL)
    return [(text_of(item, "Key"), text_of(item, "Code"), text_of(item, "Message")) for item in errors]
