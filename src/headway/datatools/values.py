"""What is asked for, what is stored, and which part of an object came."""

from typing import Dict, NamedTuple, Optional, Union


class S3GetObject(NamedTuple):
    """A range of an object to get.

    Attributes:
        key: As the ``S3`` that is asked takes it.
        offset: The first byte, None for 0.
        length: How many bytes, None for all the rest; a negative one counts from the end of the object,
            and ``offset`` means nothing then.
    """

    key: str
    offset: Optional[int] = None
    length: Optional[int] = None


class S3PutObject(NamedTuple):
    """An object to store, with what it is to carry.

    Attributes:
        key: As the ``S3`` that is asked takes it.
        value: For ``put_many``: text (stored as UTF-8), bytes, or a binary file.
        path: For ``put_files``: a local file.
        content_type: Its MIME type; by default the server chooses.
        encryption: The server-side encryption of this object; by default the client's.
        metadata: What JSON can hold, given back as ``S3Object.metadata``.
    """

    key: str
    value: Union[str, bytes, object, None] = None
    path: Optional[str] = None
    content_type: Optional[str] = None
    encryption: Optional[str] = None
    metadata: Optional[Dict[str, object]] = None


class RangeInfo(NamedTuple):
    """Which bytes of an object were downloaded.

    Attributes:
        total_size: The object's size in bytes.
        request_offset: The first byte that came.
        request_length: How many came.
    """

    total_size: int
    request_offset: int = 0
    request_length: int = -1
