"""Datastore roots as people write them, read into what they mean."""

import os
from typing import NamedTuple, Optional, Union

from headway.errors import StoreConfigurationError
from headway.store.addresses import plain_address

_AZURE_HOST = ".blob.core.windows.net"
_FORMS = "Write a folder (/data/runs), s3://bucket/prefix, azure://container/prefix or gs://bucket/prefix."


class FolderLocation(NamedTuple):
    """A folder, by its absolute path."""

    path: str


class S3Location(NamedTuple):
    """A bucket on S3 or on what speaks its protocol, and the prefix all keys stand under ("" for none)."""

    bucket: str
    prefix: str = ""


class AzureLocation(NamedTuple):
    """A container of Azure Blob Storage; the account comes from the environment where the root names none."""

    container: str
    prefix: str = ""
    account: Optional[str] = None


class GoogleLocation(NamedTuple):
    """A bucket of Google Cloud Storage."""

    bucket: str
    prefix: str = ""


Location = Union[FolderLocation, S3Location, AzureLocation, GoogleLocation]


def parse_location(root: str) -> Location:
    """What a datastore root means.

    Args:
        root: A folder, ``file://…``, ``s3://bucket/prefix``, ``gs://bucket/prefix``,
            ``azure://container/prefix``, ``wasbs://container@account.blob.core.windows.net/prefix``
            (also ``abfss``) or ``https://account.blob.core.windows.net/container/prefix``.

    Raises:
        StoreConfigurationError: It is none of these.
    """
    if not root.strip():
        raise StoreConfigurationError("the datastore's root is empty", _FORMS)
    scheme, separator, _ = root.partition("://")
    if not separator:
        return FolderLocation(_absolute(root))
    plain = plain_address(root)
    if plain is not None and plain.scheme == "s3":
        return S3Location(plain.place, plain.path.strip("/"))
    if plain is not None and plain.scheme in ("gs", "gcs"):
        return GoogleLocation(plain.place, plain.path.strip("/"))
    from urllib.parse import unquote, urlsplit  # for other roots only, see headway.store.addresses

    url = urlsplit(root.strip())
    prefix = url.path.strip("/")
    kind = scheme.strip().lower()
    if kind == "file" and url.netloc in ("", "localhost"):
        return FolderLocation(_absolute(unquote(url.path)))
    if url.netloc and not url.query and not url.fragment:
        if kind == "s3" and "@" not in url.netloc:
            return S3Location(url.netloc, prefix)
        if kind in ("gs", "gcs") and "@" not in url.netloc:
            return GoogleLocation(url.netloc, prefix)
        if kind in ("azure", "az"):
            return AzureLocation(url.netloc, prefix)
        if kind in ("wasb", "wasbs", "abfs", "abfss") and "@" in url.netloc:
            container, _, host = url.netloc.partition("@")
            return AzureLocation(container, prefix, host.partition(".")[0])
        if kind == "https" and url.netloc.endswith(_AZURE_HOST) and prefix:
            container, _, rest = prefix.partition("/")
            return AzureLocation(container, rest, url.netloc[: -len(_AZURE_HOST)])
    raise StoreConfigurationError(f"{_without_secrets(root)!r} is not a datastore that Headway knows", _FORMS)


def _absolute(path: str) -> str:
    # os.path and not pathlib: pods read this too, and pathlib costs more to import than all of this.
    return os.path.abspath(os.path.expanduser(path))


def _without_secrets(root: str) -> str:
    """The root without its query (where signatures stand) and without a password."""
    bare = root.partition("?")[0]
    scheme, separator, rest = bare.partition("://")
    host, slash, path = rest.partition("/")
    if ":" in host and "@" in host:
        host = host.rpartition("@")[2]
    return f"{scheme}{separator}{host}{slash}{path}"
