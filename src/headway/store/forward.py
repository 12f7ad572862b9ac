"""The launcher's own access to a datastore, as variables that a pod can use: only where a person asks for it."""

import os
from typing import Dict, Mapping

from headway.errors import StoreConfigurationError
from headway.store.locations import S3Location, parse_location


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
    if not isinstance(location, S3Location):
        raise StoreConfigurationError(
            f"--forward-credentials has nothing to forward for the datastore {url}.",
            "It is for datastores that are reached with a key (s3://…).",
        )
    # The credential chain: not to be loaded where nothing is forwarded.
    from headway.store.s3.credentials import CredentialChain
    from headway.store.s3.endpoints import address_from_environment

    found = CredentialChain(environ, address_from_environment(location.bucket, environ).region).get()
    values = {"AWS_ACCESS_KEY_ID": found.access_key, "AWS_SECRET_ACCESS_KEY": found.secret_key}
    if found.token:
        values["AWS_SESSION_TOKEN"] = found.token
    return values
