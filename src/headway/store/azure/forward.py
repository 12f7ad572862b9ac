"""What a pod is told of a container, and lent of a launcher's access to it."""

from typing import Dict, Mapping

from headway.store.azure.credentials import (
    KEY_VARIABLES,
    SECRET_VARIABLES,
    SIGNATURE_VARIABLE,
    TOKEN_VARIABLE,
    CredentialChain,
)
from headway.store.azure.endpoints import ACCOUNT_VARIABLES, ENDPOINT_VARIABLES, address_of
from headway.store.locations import AzureLocation

#: What else a pod is given as it is set here.
PASSED_ON = ("AZURE_AUTHORITY_HOST",)

#: Names for the same; those of the first row say where the store is.
SAME = (
    (*ENDPOINT_VARIABLES, "AZURE_STORAGE_CONNECTION_STRING"),
    (*ACCOUNT_VARIABLES, "AZURE_STORAGE_CONNECTION_STRING"),
)


def environment(location: AzureLocation, environ: Mapping[str, str]) -> Dict[str, str]:
    """The account and the address of its service as resolved here."""
    address = address_of(location, environ)
    found = {ENDPOINT_VARIABLES[0]: address.service.url}
    if address.account:
        found[ACCOUNT_VARIABLES[0]] = address.account
    return found


def credentials(location: AzureLocation, environ: Mapping[str, str]) -> Dict[str, str]:
    """The credentials with which this process reaches the container, under the names that a pod reads.

    An application's secret is lent as it is, so that a pod can renew its token.

    Raises:
        StoreConfigurationError: There are none.
    """
    chain = CredentialChain(environ, address_of(location, environ))
    found = chain.get()
    if found.key:
        return {KEY_VARIABLES[0]: found.key}
    if found.signature:
        return {SIGNATURE_VARIABLE: found.signature}
    if all(environ.get(name) for name in SECRET_VARIABLES):
        return {name: environ[name] for name in SECRET_VARIABLES}
    return {TOKEN_VARIABLE: found.token}
