"""Where a container of Azure Blob Storage is reached: the account, and the address of its blob service."""

from typing import Dict, Mapping, NamedTuple

from headway.errors import StoreConfigurationError
from headway.store.locations import AzureLocation
from headway.store.net.endpoints import Endpoint, parse_endpoint

#: In the order in which they count; the first two name only where Headway's datastore is.
ENDPOINT_VARIABLES = (
    "HEADWAY_AZURE_STORAGE_BLOB_SERVICE_ENDPOINT",
    "METAFLOW_AZURE_STORAGE_BLOB_SERVICE_ENDPOINT",
    "AZURE_STORAGE_SERVICE_ENDPOINT",
)
ACCOUNT_VARIABLES = ("AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME")

#: The variables that may name the file of certificate authorities.
TRUST = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")

_DOMAIN = "core.windows.net"

#: The account and the key that every Azurite knows; they are public.
_AZURITE = {
    "accountname": "devstoreaccount1",
    "accountkey": "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
    "blobendpoint": "http://127.0.0.1:10000/devstoreaccount1",
}


class AzureAddress(NamedTuple):
    """Where a container is.

    Attributes:
        container: Its name.
        account: The storage account, "" where neither a variable nor the address tells.
        service: The account's blob service.
    """

    container: str
    account: str
    service: Endpoint

    @property
    def server(self) -> Endpoint:
        """The server to connect to; its path holds the container."""
        return self.service._replace(path=f"{self.service.path}/{self.container}")


def address_of(location: AzureLocation, environ: Mapping[str, str]) -> AzureAddress:
    """The container's address, by its root and then by the usual variables.

    A variable's address counts unless the root names another account than it does.

    Raises:
        StoreConfigurationError: Nothing tells the account.
    """
    named = location.account
    if location.endpoint:
        service = parse_endpoint(location.endpoint)
        return AzureAddress(location.container, named or account_in(service), service)
    known = connection_settings(environ)
    told = next((environ[name] for name in ENDPOINT_VARIABLES if environ.get(name)), None)
    told = told or known.get("blobendpoint")
    account = next((environ[name] for name in ACCOUNT_VARIABLES if environ.get(name)), "")
    account = known.get("accountname") or account
    if told:
        service = parse_endpoint(told)
        owner = account_in(service) or account
        if named in (None, owner):
            return AzureAddress(location.container, owner, service)
    account = named or account
    if not account:
        raise StoreConfigurationError(
            f"nothing tells in which storage account the container {location.container!r} is",
            "Set AZURE_STORAGE_ACCOUNT or HEADWAY_AZURE_STORAGE_BLOB_SERVICE_ENDPOINT, or name it in the root: "
            f"wasbs://{location.container}@<account>.blob.{_DOMAIN}/prefix.",
        )
    domain = known.get("endpointsuffix") or _DOMAIN
    secure = known.get("defaultendpointsprotocol", "https") != "http"
    host = f"{account}.blob.{domain}"
    return AzureAddress(location.container, account, Endpoint(secure, host, 443 if secure else 80))


def account_in(service: Endpoint) -> str:
    """The account that an address names: as the first part of its host, or of its path; "" for a domain of one's own."""
    account, _, rest = service.host.partition(".")
    if rest.startswith("blob."):
        return account.removesuffix("-secondary")
    return service.path.strip("/").partition("/")[0]


def connection_settings(environ: Mapping[str, str]) -> Dict[str, str]:
    """What AZURE_STORAGE_CONNECTION_STRING says, by its names in lower case; nothing where it is not set.

    Raises:
        StoreConfigurationError: It is no connection string.
    """
    text = environ.get("AZURE_STORAGE_CONNECTION_STRING")
    found: Dict[str, str] = {}
    for part in (text or "").split(";"):
        name, separator, value = part.strip().partition("=")
        if separator:
            found[name.lower()] = value
        elif name:
            raise StoreConfigurationError(
                "AZURE_STORAGE_CONNECTION_STRING is no connection string: it is made of <Name>=<value>;…",
                "Copy it from the portal (Access keys), or: az storage account show-connection-string --name <account>",
            )
    if found.get("usedevelopmentstorage", "").lower() == "true":
        return {**_AZURITE, **found}
    return found
