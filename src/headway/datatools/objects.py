"""``S3Object``: one object, or the place of one, and its local copy if it was downloaded."""

import json
import os
import re
from datetime import datetime, timezone
from typing import Any, Dict, Mapping, NamedTuple, Optional

from headway.datatools.values import RangeInfo

#: Under this name Metaflow stores the user's metadata, as JSON: both read what either wrote.
_USER_METADATA = "x-amz-meta-metaflow-user-attributes"

_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_DATE = re.compile(rf"\w+, (\d+) ({'|'.join(re.findall('...', _MONTHS))}) (\d+) (\d+):(\d+):(\d+) GMT$")


class Facts(NamedTuple):
    """What the headers of an answer tell of an object."""

    content_type: Optional[str] = None
    metadata: Optional[Dict[str, Any]] = None
    encryption: Optional[str] = None
    last_modified: Optional[float] = None
    range_info: Optional[RangeInfo] = None


class S3Object:
    """An object in S3, with or without a local copy. Methods of ``S3`` make them.

    Args:
        prefix: What was asked under, None where full URLs are used.
        url: Of the object.
        path: Of the local copy, if there is one.
        size: In bytes, None where there is no such object; of the local copy if there is one.
        facts: What else is known.
    """

    def __init__(
        self,
        prefix: Optional[str],
        url: str,
        path: Optional[str] = None,
        size: Optional[int] = None,
        facts: Facts = Facts(),  # noqa: B008  (a value, never changed)
    ) -> None:
        self._url = url
        self._path = path
        self._size = os.stat(path).st_size if path else size
        self._facts = facts
        scoped = prefix is not None and prefix != url
        self._prefix = prefix if scoped else None
        self._key = url[len((prefix or "").rstrip("/")) + 1 :].rstrip("/") if scoped else url

    @property
    def exists(self) -> bool:
        """Whether there is an object at this URL, and not only longer keys that begin with it."""
        return self._size is not None

    @property
    def downloaded(self) -> bool:
        """Whether there is a local copy: ``path``, ``blob`` and ``text`` are not None."""
        return self._path is not None

    @property
    def url(self) -> str:
        """``s3://bucket/key``."""
        return self._url

    @property
    def prefix(self) -> Optional[str]:
        """The URL that ``key`` is relative to: what was listed, else the client's root; None without one."""
        return self._prefix

    @property
    def key(self) -> str:
        """The URL relative to ``prefix``, without a slash at its end; without a prefix the URL itself."""
        return self._key

    @property
    def path(self) -> Optional[str]:
        """The local copy; it goes when the ``S3`` that made it is closed."""
        return self._path

    @property
    def blob(self) -> Optional[bytes]:
        """The content, read from the local copy; None if it was not downloaded."""
        if self._path is None:
            return None
        with open(self._path, "rb") as file:
            return file.read()

    @property
    def text(self) -> Optional[str]:
        """The content as UTF-8 text, in which what is no UTF-8 is replaced; None if it was not downloaded."""
        blob = self.blob
        return None if blob is None else blob.decode("utf-8", "replace")

    @property
    def size(self) -> Optional[int]:
        """Bytes: of the local copy (which may be a range of the object), else of the object; None without one."""
        return self._size

    @property
    def has_info(self) -> bool:
        """Whether type, metadata, encryption or range are known."""
        facts = self._facts
        known = (facts.content_type, facts.metadata, facts.range_info, facts.encryption)
        return any(fact is not None for fact in known)

    @property
    def metadata(self) -> Optional[Dict[str, Any]]:
        """What was given to ``put`` as such, None where there is none or it was not asked for."""
        return self._facts.metadata

    @property
    def content_type(self) -> Optional[str]:
        """The MIME type, None where it was not asked for."""
        return self._facts.content_type

    @property
    def encryption(self) -> Optional[str]:
        """The server-side encryption, None where there is none or it was not asked for."""
        return self._facts.encryption

    @property
    def range_info(self) -> Optional[RangeInfo]:
        """Which part of the object the local copy is, None where it was not asked for."""
        return self._facts.range_info

    @property
    def last_modified(self) -> Optional[float]:
        """When the object was written, in seconds since the epoch; None where it was not asked for."""
        return self._facts.last_modified

    def __repr__(self) -> str:
        if self._size is None:
            return f"<S3Object {self._url} (no such object)>"
        return f"<S3Object {self._url} ({self._size} bytes, {'local' if self._path else 'in S3'})>"


def facts_in(headers: Mapping[str, str]) -> Facts:
    """What an answer's headers tell of an object."""
    written = headers.get(_USER_METADATA)
    return Facts(
        headers.get("content-type"),
        json.loads(written) if written else None,
        headers.get("x-amz-server-side-encryption"),
        _seconds(headers.get("last-modified")),
    )


def headers_for(
    content_type: Optional[str], metadata: Optional[Mapping[str, object]], encryption: Optional[str]
) -> Dict[str, str]:
    """The headers with which an object is written to carry this."""
    headers = {}
    if content_type:
        headers["content-type"] = content_type
    if metadata:
        headers[_USER_METADATA] = json.dumps(metadata)
    if encryption:
        headers["x-amz-server-side-encryption"] = encryption
    return headers


def _seconds(date: Optional[str]) -> Optional[float]:
    """The time in a Last-Modified header; email.utils reads it too, and takes milliseconds to load."""
    found = _DATE.match(date or "")
    if found is None:
        return None
    day, month, year, hour, minute, second = found.groups()
    number = _MONTHS.index(month) // 3 + 1
    when = datetime(int(year), number, int(day), int(hour), int(minute), int(second), tzinfo=timezone.utc)
    return when.timestamp()
