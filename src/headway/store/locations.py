"""Datastore roots as people write them, read into what they mean."""

import os
from typing import NamedTuple, Optional, Union

from headway.errors import StoreConfigurationError
from headway.store.addresses import plain_address

_AZURE_HOST = ".blob.core.windows.net"
#: Where the account is the host's first part; elsewhere, as in an emulator, it is the path's.
_AZURE_SERVICE = ".blob."
#: What is written as ``container@host``, and how that host is reached.
_WITH_HOLDER = {"wasb": "http", "wasbs": "https", "abfs": "http", "abfss": "https"}
_FORMS = "Write a folder (/data/runs), s3://bucket/prefix, azure://container/prefix or gs://bucket/prefix."


class FolderLocation(NamedTuple):
    """A folder, by its absolute path."""

    path: str


class S3Location(NamedTuple):
    """A bucket on S3 or on what speaks its protocol, and the prefix all keys stand under ("" for none)."""

    bucket: str
    prefix: str = ""


class AzureLocation(NamedTuple):
    """A container of Azure Blob Storage.

    Attributes:
        container: Its name.
        prefix: What all keys stand under.
        account: None where the root names none: then the environment tells it.
        endpoint: The account's blob service, where the root names another one than the public cloud's.
    """

    container: str
    prefix: str = ""
    account: Optional[str] = None
    endpoint: Optional[str] = None


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
            (also ``abfss``) or ``https://account.blob.core.windows.net/container/prefix`` (an emulator:
            ``http://host:port/account/container/prefix``).

    Raises:
        StoreConfigurationError: It is none of these.
    """
    if not root.strip():
        raise StoreConfigurationError("the datastore's root is empty", _FORMS)
    scheme, separator, _ = root.partition("://")
    if not separator:
        return FolderLocation(_absolute(root))
    holder, at, address = root.strip().partition("://")[2].partition("@")
    plain = plain_address(f"{scheme}://{address}" if at else root)
    if plain is not None and plain.scheme != "file" and (not at or plain_address(f"{scheme}://{holder}")):
        place = f"{holder}@{plain.place}" if at else plain.place
        found = _known(plain.scheme, place, plain.path.strip("/"))
        if found is not None:
            return found
    from urllib.parse import unquote, urlsplit  # for other roots only, see headway.store.addresses

    url = urlsplit(root.strip())
    prefix = url.path.strip("/")
    kind = scheme.strip().lower()
    if kind == "file" and url.netloc in ("", "localhost"):
        return FolderLocation(_absolute(unquote(url.path)))
    if url.netloc and not url.query and not url.fragment:
        found = _known(kind, url.netloc, prefix)
        if found is not None:
            return found
    raise StoreConfigurationError(f"{_without_secrets(root)!r} is not a datastore that Headway knows", _FORMS)


def kind_of(root: str) -> str:
    """The kind of the datastore that a root names: local, s3, azure or gs."""
    scheme, separator, _ = root.lower().partition("://")
    if not separator or scheme == "file":
        return "local"
    return "s3" if scheme == "s3" else "gs" if scheme in ("gs", "gcs") else "azure"


def _known(scheme: str, place: str, prefix: str) -> Optional[Location]:
    """What an address with this scheme means, None where it means nothing."""
    holder, at, host = place.partition("@")
    if scheme in _WITH_HOLDER and holder and host:
        # Of the two names that an account with folders has, the one that speaks this protocol.
        return _azure_at(_WITH_HOLDER[scheme], host.replace(".dfs.", _AZURE_SERVICE), holder, prefix)
    if at:
        return None
    if scheme == "s3":
        return S3Location(place, prefix)
    if scheme in ("gs", "gcs"):
        return GoogleLocation(place, prefix)
    if scheme in ("azure", "az"):
        return AzureLocation(place, prefix)
    first, _, rest = prefix.partition("/")
    if scheme in ("http", "https") and _AZURE_SERVICE in place and first:
        return _azure_at(scheme, place, first, rest)
    container, _, rest = rest.partition("/")
    if scheme in ("http", "https") and container:
        return AzureLocation(container, rest, first, f"{scheme}://{place}/{first}")
    return None


def _azure_at(scheme: str, host: str, container: str, prefix: str) -> AzureLocation:
    """A container of the account that the host's first part names."""
    usual = scheme == "https" and host.endswith(_AZURE_HOST)
    return AzureLocation(container, prefix, host.partition(".")[0], None if usual else f"{scheme}://{host}")


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
