"""From a datastore root to the store that serves it, here or in a pod."""

import os

from headway.store.base import ObjectStore
from headway.store.locations import (
    AzureLocation,
    FolderLocation,
    GoogleLocation,
    S3Location,
    parse_location,
)

#: Seconds for which a pod or a child tries to reach a store that its launcher has reached before.
_PATIENCE = 60.0


def open_store(url: str, *, prefer_native: bool = False) -> ObjectStore:
    """The store behind a root.

    Args:
        url: A root, see :func:`~headway.store.locations.parse_location`.
        prefer_native: Use obstore where it is installed and serves this kind of store: less CPU for many
            requests, more to load. For the launcher and the client, not for pods and forked children.

    Raises:
        StoreConfigurationError: The root is not understood or its kind is not supported.
    """
    location = parse_location(url)
    # Sockets, signing and credentials of one kind of store: not to be loaded where the store is another one.
    if isinstance(location, FolderLocation):
        # Files and locks: not to be loaded where the store is a bucket.
        from headway.store.folder import FolderStore

        return FolderStore(location.path)
    if isinstance(location, S3Location):
        return _open_s3(location, prefer_native)
    if isinstance(location, GoogleLocation):
        return _open_google(location, prefer_native)
    return _open_azure(location, prefer_native)


def _open_s3(location: S3Location, prefer_native: bool) -> ObjectStore:
    if prefer_native:
        try:
            # obstore: optional, and 6 MB that no pod should load.
            from headway.store.remote import ObstoreStore

            return ObstoreStore(location)
        except ImportError:
            pass
    from headway.store.net.retries import RetryPolicy
    from headway.store.s3.client import S3Store
    from headway.store.s3.endpoints import address_from_environment
    from headway.store.s3.session import Session

    address = address_from_environment(location.bucket, os.environ)
    session = Session(address, policy=RetryPolicy(first_contact=_PATIENCE))
    return S3Store(location.bucket, location.prefix, session)


def _open_google(location: GoogleLocation, first: bool) -> ObjectStore:
    from headway.store.gs.address import address_from_environment
    from headway.store.gs.client import GoogleStore
    from headway.store.gs.session import Session
    from headway.store.net.retries import RetryPolicy

    address = address_from_environment(location.bucket, os.environ)
    # Whoever is the first to reach for it is to be told soon that the address is wrong.
    policy = RetryPolicy() if first else RetryPolicy(first_contact=_PATIENCE)
    session = Session(address, policy=policy)
    return GoogleStore(location.bucket, location.prefix, session)


def _open_azure(location: AzureLocation, first: bool) -> ObjectStore:
    from headway.store.azure.client import AzureStore
    from headway.store.azure.endpoints import address_of
    from headway.store.azure.session import Session
    from headway.store.net.retries import RetryPolicy

    policy = RetryPolicy() if first else RetryPolicy(first_contact=_PATIENCE)
    session = Session(address_of(location, os.environ), policy=policy)
    return AzureStore(location, session)
