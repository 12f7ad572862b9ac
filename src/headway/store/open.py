"""From a datastore root to the store that serves it, here or in a pod."""

import os
from typing import Dict, Mapping

from headway.errors import StoreConfigurationError
from headway.store.base import ObjectStore
from headway.store.folder import FolderStore
from headway.store.locations import FolderLocation, Location, S3Location, parse_location

#: What else a pod is given as it is set here.
_PASSED_ON = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "AWS_ENDPOINT_URL_STS",
    "AWS_STS_REGIONAL_ENDPOINTS",
)

#: Seconds for which a pod or a child tries to reach a store that its launcher has reached before.
_PATIENCE = 60.0


def open_store(url: str, *, prefer_native: bool = False) -> ObjectStore:
    """The store behind a root.

    Args:
        url: A root, see :func:`~headway.store.locations.parse_location`.
        prefer_native: Use obstore where it is installed: less CPU for many requests, more to load.
            For the launcher and the client, not for pods and forked children.

    Raises:
        StoreConfigurationError: The root is not understood or its kind is not supported.
    """
    location = parse_location(url)
    if isinstance(location, FolderLocation):
        return FolderStore(location.path)
    if not isinstance(location, S3Location):
        raise _unsupported(location, url)
    if prefer_native:
        try:
            # obstore: optional, and 6 MB that no pod should load.
            from headway.store.remote import ObstoreStore

            return ObstoreStore(location)
        except ImportError:
            pass
    # Sockets, signing and credentials: not to be loaded where the store is a folder.
    from headway.store.s3.client import S3Store
    from headway.store.s3.endpoints import address_from_environment
    from headway.store.s3.retries import RetryPolicy
    from headway.store.s3.session import Session

    address = address_from_environment(location.bucket, os.environ)
    session = Session(address, policy=RetryPolicy(first_contact=_PATIENCE))
    return S3Store(location.bucket, location.prefix, session)


def child_environment(url: str, environ: Mapping[str, str] = os.environ) -> Dict[str, str]:
    """The variables a pod needs to reach this store the way this process does; no secret is among them.

    Endpoint and region are given as resolved here, profile files included, because a pod has no such
    files; proxies as they are set. Not given: credentials (the pod's identity or a secret) and a
    proxy whose address holds a password, for what stands in a pod's specification is no secret; and
    ``AWS_CA_BUNDLE``, whose path means nothing in another machine's image: mount the file there.

    Args:
        url: The store's root.
        environ: Where to look.
    """
    location = parse_location(url)
    if not isinstance(location, S3Location):
        return {}
    from headway.store.s3.endpoints import address_from_environment

    address = address_from_environment(location.bucket, environ)
    found = {"AWS_REGION": address.region}
    if address.endpoint:
        found["AWS_ENDPOINT_URL_S3"] = address.endpoint
    for name in _PASSED_ON:
        value = environ.get(name.lower()) or environ.get(name)
        if value and "@" not in value:
            found[name] = value
    return found


def _unsupported(location: Location, url: str) -> StoreConfigurationError:
    kind = "Google Cloud Storage" if type(location).__name__ == "GoogleLocation" else "Azure Blob Storage"
    return StoreConfigurationError(
        f"{kind} is not supported yet, so {url} cannot be the datastore",
        "Use s3://bucket/prefix (any S3-compatible store) or a shared folder.",
    )
