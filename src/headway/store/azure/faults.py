"""What Azure Blob Storage answers, said in the words of Headway's errors."""

from headway.errors import KeyNotFoundError, StoreConfigurationError, StoreError
from headway.store.azure.endpoints import ENDPOINT_VARIABLES, TRUST, AzureAddress
from headway.store.net.answers import Fault
from headway.store.net.faults import Place
from headway.store.net.retries import RETRIED_STATUS

_PASSING = {"ContainerBeingDeleted", "InternalError", "OperationTimedOut", "ServerBusy"}
_ROLE = "the role Storage Blob Data Contributor"
_NOT_REACHED = {"AuthorizationFailure", "AuthorizationSourceIPMismatch", "PublicAccessNotPermitted"}
_NOT_SIGNED = {"NoAuthenticationInformation", "InvalidAuthenticationInfo", "ResourceNotFound"}
_TOO_LITTLE = {
    "AuthorizationPermissionMismatch",
    "AuthorizationResourceTypeMismatch",
    "AuthorizationServiceMismatch",
    "InsufficientAccountPermissions",
}
_FORBIDDEN_KIND = {"KeyBasedAuthenticationNotPermitted", "AuthorizationProtocolMismatch"}


def place_of(address: AzureAddress) -> Place:
    """What errors call a container."""
    name = f"container {address.container!r}"
    account = f" of storage account {address.account!r}" if address.account else ""
    where = f"{name}{account} at {address.service.url}"
    return Place(name, where, address.server, f"the endpoint ({ENDPOINT_VARIABLES[0]})", TRUST[0])


def is_retried(fault: Fault) -> bool:
    """Whether the same request may well succeed a moment later."""
    return fault.status in RETRIED_STATUS or fault.code in _PASSING


def is_expired(fault: Fault) -> bool:
    """Whether a token or a signature has run out."""
    if fault.code in ("InvalidAuthenticationInfo", "ExpiredAuthenticationToken"):
        return fault.status == 401
    over = "time frame" in fault.message or "Lifetime validation" in fault.message
    return fault.code == "AuthenticationFailed" and over


def fault_error(fault: Fault, address: AzureAddress, doing: str, key: str, source: str) -> StoreError:
    """The error for an answer that retries do not mend.

    Args:
        fault: What the server said.
        address: Of the container.
        doing: The operation in words ("reading", "writing", "listing", "deleting").
        key: The full key in the container.
        source: Where the credentials came from.
    """
    where = place_of(address).where
    said = f"{fault.code or 'status ' + str(fault.status)}{': ' + fault.message if fault.message else ''}"
    if fault.code == "ContainerNotFound":
        return StoreConfigurationError(
            f"there is no {where}",
            f"Create it: az storage container create --name {address.container} "
            f"--account-name {address.account or '<account>'}; or correct the datastore's root.",
        )
    if fault.foreign and 400 <= fault.status < 500:
        return StoreConfigurationError(
            f"{where}: what answers there is no Azure Blob service (status {fault.status} while {doing} "
            f"{key or 'objects'})",
            f"Check the endpoint ({ENDPOINT_VARIABLES[0]}) and HTTP_PROXY, HTTPS_PROXY, NO_PROXY.",
        )
    if fault.code == "BlobNotFound" or (fault.status == 404 and not fault.code):
        return KeyNotFoundError(f"there is no {key} in {where}")
    if is_expired(fault):
        return StoreConfigurationError(
            f"the credentials for {where} have expired (from {source})",
            "Sign in again (az login), or make a new shared access signature, then start again.",
        )
    if fault.status in (401, 403) or fault.code in _NOT_SIGNED:
        return _denied(fault, f"{doing} {key or 'objects'} in {where}", address, f"{source}; {said}")
    if fault.code == "InvalidResourceName":
        return StoreConfigurationError(
            f"{address.container!r} cannot be the name of a container ({said})",
            "It has 3 to 63 lower-case letters, digits and single hyphens.",
        )
    if fault.code == "FeatureVersionMismatch" or fault.status == 501:
        return StoreConfigurationError(
            f"{where} cannot do what {doing} {key} needs ({said})", "Is it a current Azure Blob service?"
        )
    return StoreError(f"{doing} {key} in {where} failed: {said}")


def _denied(fault: Fault, what: str, address: AzureAddress, why: str) -> StoreConfigurationError:
    hint = f"The identity needs {_ROLE} on the container; a shared access signature the permissions racwdl."
    if fault.code == "AuthenticationFailed" or "Authorization header" in fault.message:
        hint = (
            "Check AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_CONNECTION_STRING: it must belong to "
            f"the account {address.account!r}, and this machine's clock must be right."
        )
    elif fault.code in _NOT_REACHED:
        hint = "The account's network rules may not let this machine in, or the signature is for another address."
    elif fault.code in _FORBIDDEN_KIND:
        hint = f"The account takes no keys: unset AZURE_STORAGE_KEY and use an identity with {_ROLE}."
    elif fault.code in _TOO_LITTLE:
        hint = f"The identity needs {_ROLE} there; being the account's owner is not enough. A signature needs racwdl."
    return StoreConfigurationError(f"{what} is not allowed (credentials from {why})", hint)
