"""The chain of Azure credentials: the first source that has some is used from then on.

What asks services for tokens is loaded where one is asked: many pods find a key in the environment.
"""

import os
import time
from functools import partial
from typing import Callable, Dict, List, Mapping, Optional

from headway.errors import StoreConfigurationError
from headway.store.azure.endpoints import AzureAddress, connection_settings
from headway.store.azure.signing import Credentials
from headway.store.net.chain import Chain, Source

KEY_VARIABLES = ("AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY")
SIGNATURE_VARIABLE = "AZURE_STORAGE_SAS_TOKEN"
#: A token as a launcher lends it to its pods; it ends with what it was lent from.
TOKEN_VARIABLE = "HEADWAY_AZURE_STORAGE_TOKEN"  # noqa: S105  (a name)
#: What an application signs in with.
SECRET_VARIABLES = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
_FEDERATION_VARIABLES = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE")

#: What else tells tokens apart: for whom, and whom is asked.
_WHOSE = (
    *SECRET_VARIABLES,
    "AZURE_AUTHORITY_HOST",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "IDENTITY_ENDPOINT",
    "PATH",
)

_Found = Optional[Source[Credentials]]

#: A token that this process was given is taken for another store of it if it holds for so many seconds: a little
#: more than those at whose end it is renewed.
_LEAST_SECONDS = 330.0

#: By what gave them. A forked child goes on with its parent's, instead of asking for one of its own.
_given_out: Dict[str, Credentials] = {}


class CredentialChain(Chain[Credentials]):
    """Looks for credentials once, keeps them, and renews tokens before they end.

    In this order: a connection string; an account's key; a shared access signature; a lent token; an
    application's secret; a workload identity; the ``az`` command line, where it is installed; the
    machine's managed identity.

    Args:
        environ: The variables to look at.
        address: Of the container.
        clock: Seconds since the epoch.
    """

    def __init__(
        self, environ: Mapping[str, str], address: AzureAddress, clock: Callable[[], float] = time.time
    ) -> None:
        finders = (
            partial(_connection_string, environ, address),
            partial(_given, environ),
            partial(_application, environ, clock),
            partial(_federation, environ, clock),
            partial(_command_line, environ, clock),
            partial(_machine, environ, clock),
        )
        super().__init__(
            finders,
            "Azure Blob Storage",
            "Type az login, or set AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_CONNECTION_STRING. A "
            "pod gets them from a secret (@kubernetes(secrets=[…])), from here (--forward-credentials), or by its "
            "service account's workload identity.",
            clock,
        )

    def renew(self, stale: Credentials) -> bool:
        forget_tokens()
        return super().renew(stale)


def forget_tokens() -> None:
    """Take no token from before for another store."""
    _given_out.clear()


def _connection_string(environ: Mapping[str, str], address: AzureAddress, looked: List[str]) -> _Found:
    told = connection_settings(environ)
    if not told:
        looked.append("AZURE_STORAGE_CONNECTION_STRING in the environment (not set)")
        return None
    account = told.get("accountname")
    if account and address.account and account != address.account:
        raise StoreConfigurationError(
            f"AZURE_STORAGE_CONNECTION_STRING is for the account {account!r}, and the datastore's is "
            f"{address.account!r}",
            "Unset one of them, or name the same account in both.",
        )
    found = Credentials(told.get("accountkey", ""), told.get("sharedaccesssignature", "").lstrip("?"))
    if not found.key and not found.signature:
        looked.append("AZURE_STORAGE_CONNECTION_STRING in the environment (no key and no signature in it)")
        return None
    return Source("AZURE_STORAGE_CONNECTION_STRING in the environment", lambda: found)


def _given(environ: Mapping[str, str], looked: List[str]) -> _Found:
    for name in (*KEY_VARIABLES, SIGNATURE_VARIABLE, TOKEN_VARIABLE):
        value = environ.get(name, "").strip()
        if value:
            return Source(f"{name} in the environment", partial(_as_given, name, value))
    looked.append(f"{KEY_VARIABLES[0]} and {SIGNATURE_VARIABLE} in the environment (not set)")
    return None


def _as_given(name: str, value: str) -> Credentials:
    if name == SIGNATURE_VARIABLE:
        return Credentials(signature=value.lstrip("?"))
    return Credentials(token=value) if name == TOKEN_VARIABLE else Credentials(value)


def _application(environ: Mapping[str, str], clock: Callable[[], float], looked: List[str]) -> _Found:
    missing = [name for name in SECRET_VARIABLES if not environ.get(name)]
    if missing:
        looked.append(
            f"an application's {', '.join(SECRET_VARIABLES)} in the environment ({missing[-1]} is not set)"
        )
        return None
    from headway.store.azure.tokens import with_secret

    name = f"the secret of the application {environ['AZURE_CLIENT_ID']}"
    return _of_service(name, environ, partial(with_secret, environ), clock)


def _federation(environ: Mapping[str, str], clock: Callable[[], float], looked: List[str]) -> _Found:
    missing = [name for name in _FEDERATION_VARIABLES if not environ.get(name)]
    if missing:
        looked.append(f"a workload identity ({missing[-1]} is not set)")
        return None
    from headway.store.azure.tokens import with_federation

    name = f"the workload identity {environ['AZURE_CLIENT_ID']}"
    return _of_service(name, environ, partial(with_federation, environ), clock)


def _command_line(environ: Mapping[str, str], clock: Callable[[], float], looked: List[str]) -> _Found:
    for folder in environ.get("PATH", "").split(os.pathsep):
        program = os.path.join(folder, "az")
        if folder and os.access(program, os.X_OK) and os.path.isfile(program):
            from headway.store.azure.command_line import signed_in

            return _of_service("az account get-access-token", environ, partial(signed_in, program), clock)
    looked.append("the az command line (not installed)")
    return None


def _machine(environ: Mapping[str, str], clock: Callable[[], float], looked: List[str]) -> _Found:
    from headway.store.azure.tokens import managed

    return _of_service("the machine's managed identity", environ, partial(managed, environ), clock)


def _of_service(
    name: str, environ: Mapping[str, str], fetch: Callable[[], Credentials], clock: Callable[[], float]
) -> Source[Credentials]:
    """A source that is asked once for all stores of this process."""
    whose = " ".join([name, *(environ.get(variable, "") for variable in _WHOSE)])

    def once() -> Credentials:
        found = _given_out.get(whose)
        if found is None or found.expires is None or found.expires - clock() < _LEAST_SECONDS:
            found = _given_out[whose] = fetch()
        return found

    return Source(name, once)
