"""What can go wrong with the user's own data; ``compat/metaflow`` gives each its name in Metaflow.

They stand side by side under one root, so that the order of ``except`` clauses written for Metaflow,
where none is another's base, stays without meaning.
"""

import errno
from contextlib import contextmanager
from typing import Iterator

from headway.errors import HeadwayError, KeyNotFoundError, StoreError
from headway.store.net.files import FileWriteError


class S3ClientError(HeadwayError):
    """The root of everything that ``S3`` raises."""

    headline = "S3"


class S3OperationError(S3ClientError):
    """An operation failed in a way that has no error of its own; what can be retried was retried."""

    headline = "S3 access failed"


class S3NotFoundError(S3ClientError):
    """There is no such object, or no such local file to upload."""

    headline = "S3 object not found"


class S3AccessDeniedError(S3ClientError):
    """The credentials at hand do not allow it."""

    headline = "S3 access denied"


class S3URLError(S3ClientError):
    """A key or URL that cannot be used here, or a bucket that does not exist."""

    headline = "Invalid address"


class S3InvalidObjectError(S3ClientError):
    """Neither text nor bytes nor a binary file that can be read from its beginning."""

    headline = "Not a string-like object"


class S3InvalidRangeError(S3ClientError):
    """The object has no such range."""

    headline = "S3 invalid range"


class S3DiskSpaceError(S3ClientError):
    """There is no room for what is downloaded."""

    headline = "Insufficient disk space"


_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def said_of(url: str) -> Iterator[None]:
    """Raise what happens within as an error of this module about the URL."""
    try:
        yield
    except FileWriteError as error:
        if error.cause.errno in _FULL:
            raise S3DiskSpaceError(
                f"{url} does not fit on the disk: {error}",
                "Ask for more with @kubernetes(disk=…), or name a folder with room: S3(tmproot=…).",
            ) from error
        raise S3OperationError(
            f"{url} cannot be kept: {error}", "Name another folder: S3(tmproot=…)."
        ) from error
    except StoreError as error:
        raise _of_the_store(error, url) from error


@contextmanager
def no_folder(root: str) -> Iterator[str]:
    """Raise what happens while a folder for downloads is made in another as an error of this module."""
    try:
        yield root
    except OSError as error:
        kind = S3DiskSpaceError if error.errno in _FULL else S3OperationError
        raise kind(
            f"There can be no folder for downloads in {root}: {error.strerror}.",
            "Name another one: S3(tmproot=…).",
        ) from error


def _of_the_store(error: StoreError, url: str) -> S3ClientError:
    if error.code == "NoSuchBucket":
        return S3URLError(f"{url}: {error.message}", error.hint)
    if isinstance(error, KeyNotFoundError):
        return S3NotFoundError(f"There is no object at {url}.")
    if error.status == 416:
        return S3InvalidRangeError(f"{url} has no such range.")
    if error.status in (401, 403):
        return S3AccessDeniedError(f"{url}: {error.message}", error.hint)
    return S3OperationError(f"{url}: {error.message}", error.hint)
