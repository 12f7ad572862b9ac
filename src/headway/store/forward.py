"""What a launcher tells its pods of a datastore, and lends them of its own access: that only where a person asks."""

import os
from types import ModuleType
from typing import Container, Dict, Iterable, Iterator, Mapping, Optional, Tuple

from headway.errors import StoreConfigurationError
from headway.store.locations import AzureLocation, GoogleLocation, Location, S3Location, parse_location
from headway.store.net.endpoints import is_loopback

#: The last one is no address, but names those that no proxy is for.
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def child_environment(url: str, environ: Mapping[str, str] = os.environ) -> Dict[str, str]:
    """The variables a pod needs to reach this store the way this process does; no secret is among them.

    Not given: credentials (the pod's identity or a secret) and a proxy whose address holds a
    password, for what stands in a pod's specification is no secret.

    Args:
        url: The store's root.
        environ: Where to look.
    """
    location = parse_location(url)
    store = _module(location)
    if store is None:
        return {}
    found: Dict[str, str] = store.environment(location, environ)
    for name in (*_PROXIES, *store.PASSED_ON):
        value = environ.get(name.lower()) or environ.get(name)
        if value and "@" not in value:
            found[name] = value
    return found


def credentials_to_forward(url: str, environ: Mapping[str, str] = os.environ) -> Dict[str, str]:
    """The credentials with which this process reaches a store, under the names that a pod reads.

    Temporary ones expire with the session they belong to, however long the run is.

    Args:
        url: The store's root.
        environ: Where the search for credentials begins.

    Raises:
        StoreConfigurationError: There are none, or this kind of store knows none.
    """
    location = parse_location(url)
    store = _module(location)
    if store is None:
        raise StoreConfigurationError(
            f"--forward-credentials has nothing to forward for the datastore {url}.",
            "It is for datastores that are reached with credentials (s3://…, gs://…, azure://…).",
        )
    found: Dict[str, str] = store.credentials(location, environ)
    return found


def unsaid(url: str, found: Mapping[str, str], said: Container[str]) -> Dict[str, str]:
    """Of what a launcher tells its pods, what nobody tells them who means it.

    Args:
        url: The store's root.
        found: What the launcher tells them.
        said: The names of what they are told otherwise; another name for the same counts too.
    """
    if not found:
        return {}
    same = _same(url)
    return {
        name: value for name, value in found.items() if not any(each in said for each in _names(name, same))
    }


def places(url: str, found: Mapping[str, str]) -> Dict[str, str]:
    """Of what a launcher tells its pods, where the store itself is."""
    same = _same(url)
    return {name: value for name, value in found.items() if same and name in same[0]}


def unreachable(found: Mapping[str, str]) -> Dict[str, str]:
    """Of what a launcher tells its pods, the addresses that lead back to whoever uses them, and so not to it."""
    addresses = {name: value for name, value in found.items() if "://" in value or name in _PROXIES[:-1]}
    return {name: value for name, value in addresses.items() if is_loopback(value)}


def _same(url: str) -> Tuple[Tuple[str, ...], ...]:
    """The names for the same of this kind of store, none where it is somebody else's."""
    try:
        store = _module(parse_location(url))
    except StoreConfigurationError:
        return ()
    found: Tuple[Tuple[str, ...], ...] = store.SAME if store is not None else ()
    return found


def _names(name: str, same: Iterable[Iterable[str]]) -> Iterator[str]:
    """The names under which the same may be said."""
    yield name
    if name in _PROXIES:
        yield name.lower()
    if name.startswith("HEADWAY_"):
        yield name.replace("HEADWAY_", "METAFLOW_", 1)
    for names in same:
        if name in names:
            yield from names


def _module(location: Location) -> Optional[ModuleType]:
    """The store's own part of this: not to be loaded for another store."""
    if isinstance(location, S3Location):
        from headway.store.s3 import forward as s3

        return s3
    if isinstance(location, GoogleLocation):
        from headway.store.gs import forward as google

        return google
    if isinstance(location, AzureLocation):
        from headway.store.azure import forward as azure

        return azure
    return None
