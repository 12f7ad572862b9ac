"""Tokens of Microsoft Entra, from the services that give them to a pod, a machine or an application."""

import json
import time
from typing import Any, Dict, Mapping, Sequence, Tuple

from headway.errors import StoreConfigurationError
from headway.store.addresses import quote
from headway.store.azure.endpoints import TRUST
from headway.store.azure.signing import Credentials
from headway.store.net.answers import Answer
from headway.store.net.chain import NoAnswerError
from headway.store.net.connections import ConnectionFailed, Connections
from headway.store.net.endpoints import Endpoint, parse_endpoint
from headway.store.net.inquiry import ask, read_token

#: What the tokens are for.
RESOURCE = "https://storage.azure.com/"

_AUTHORITY = "https://login.microsoftonline.com"
_METADATA = "http://169.254.169.254"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def with_secret(environ: Mapping[str, str]) -> Credentials:
    """The token of an application that has a secret."""
    return _login(
        environ,
        [("client_secret", environ["AZURE_CLIENT_SECRET"])],
        f"the application {environ['AZURE_CLIENT_ID']}",
        "Check AZURE_CLIENT_SECRET, AZURE_CLIENT_ID and AZURE_TENANT_ID.",
    )


def with_federation(environ: Mapping[str, str]) -> Credentials:
    """The token of an identity that trusts the pod's service account (workload identity)."""
    assertion = read_token(environ["AZURE_FEDERATED_TOKEN_FILE"], "AZURE_FEDERATED_TOKEN_FILE")
    return _login(
        environ,
        [("client_assertion_type", _ASSERTION), ("client_assertion", assertion)],
        f"the workload identity {environ['AZURE_CLIENT_ID']}",
        "Check the identity's federated credential: issuer, namespace and service account must be this pod's.",
    )


def managed(environ: Mapping[str, str]) -> Credentials:
    """The token of the identity that this machine or application was given.

    Raises:
        NoAnswerError: There is no such service, or no identity.
    """
    url, header = environ.get("IDENTITY_ENDPOINT"), environ.get("IDENTITY_HEADER")
    query = [("resource", RESOURCE)]
    if environ.get("AZURE_CLIENT_ID"):
        query.append(("client_id", environ["AZURE_CLIENT_ID"]))
    if url and header:
        server = parse_endpoint(url)
        query.append(("api-version", "2019-08-01"))
        return _ask_metadata(server, server.path, query, {"x-identity-header": header}, environ)
    server = parse_endpoint(environ.get("AZURE_POD_IDENTITY_AUTHORITY_HOST") or _METADATA)
    query.append(("api-version", "2018-02-01"))
    path = f"{server.path}/metadata/identity/oauth2/token"
    return _ask_metadata(server, path, query, {"metadata": "true"}, environ)


def _login(environ: Mapping[str, str], proof: Sequence[Tuple[str, str]], who: str, hint: str) -> Credentials:
    server = parse_endpoint(environ.get("AZURE_AUTHORITY_HOST") or _AUTHORITY)
    body = _encoded(
        [
            ("grant_type", "client_credentials"),
            ("client_id", environ["AZURE_CLIENT_ID"]),
            ("scope", f"{RESOURCE}.default"),
            *proof,
        ]
    ).encode()
    headers = {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(body))}
    target = f"{server.path}/{quote(environ['AZURE_TENANT_ID'])}/oauth2/v2.0/token"
    connections = Connections(server._replace(path=""), environ, trust=TRUST)
    answer = ask(connections, "POST", target, headers, who, body)
    said = _object(answer)
    if answer.status != 200:
        # The first line names the trouble (AADSTS…); then follow ids and the time.
        told = str(said.get("error_description") or said.get("error") or answer.status).splitlines()[0]
        raise StoreConfigurationError(f"{server.url} refuses a token to {who}: {told}", hint)
    return _token(said, who)


def _ask_metadata(
    server: Endpoint,
    path: str,
    query: Sequence[Tuple[str, str]],
    headers: Dict[str, str],
    environ: Mapping[str, str],
) -> Credentials:
    connections = Connections(server._replace(path=""), environ, 1.0, 5.0, proxies=False, trust=TRUST)
    try:
        answer = connections.exchange("GET", f"{path}?{_encoded(query)}", headers)
    except ConnectionFailed as error:
        raise NoAnswerError("no answer") from error
    finally:
        connections.close()
    said = _object(answer)
    if answer.status != 200:
        raise NoAnswerError(str(said.get("error_description") or f"status {answer.status}").splitlines()[0])
    return _token(said, "the machine's identity")


def _token(said: Mapping[str, Any], who: str) -> Credentials:
    try:
        # Some services say when it ends, some after how long; some of either in text.
        ends = float(said["expires_on"]) if "expires_on" in said else time.time() + float(said["expires_in"])
        return Credentials(token=str(said["access_token"]), expires=ends)
    except (KeyError, TypeError, ValueError) as error:
        raise StoreConfigurationError(
            f"what gives tokens to {who} answers without one", "Is something else listening there?"
        ) from error


def _object(answer: Answer) -> Dict[str, Any]:
    try:
        said = json.loads(answer.body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _encoded(pairs: Sequence[Tuple[str, str]]) -> str:
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)
