"""What credentials in a file are traded for: an access token of an hour or so."""

import json
from typing import Any, Callable, Dict, Mapping, Sequence, Tuple

from headway.errors import StoreConfigurationError
from headway.store.addresses import quote
from headway.store.gs.tokens import Named, Token
from headway.store.net.answers import Answer
from headway.store.net.connections import Connections
from headway.store.net.endpoints import parse_endpoint
from headway.store.net.inquiry import ask, epoch

#: All that a datastore needs.
SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
#: What a federated identity needs to act as a service account.
_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"

_TOKEN_SERVICE = "https://oauth2.googleapis.com/token"  # noqa: S105  (an address)
_EXCHANGE_SERVICE = "https://sts.googleapis.com/v1/token"
_LIFETIME = 3600

_FORM = "application/x-www-form-urlencoded"
_LOGIN = "Sign in again: gcloud auth application-default login."

Clock = Callable[[], float]


def grant(credentials: Named, environ: Mapping[str, str], clock: Clock) -> Token:
    """A token for these credentials.

    Args:
        credentials: What the file holds.
        environ: Variables for proxy and certificates.
        clock: Seconds since the epoch.

    Raises:
        StoreConfigurationError: They are incomplete, of a kind that is not known here, or refused.
        StoreUnavailableError: The service that gives the token does not answer.
    """
    kind = credentials.fields["type"]
    known = {
        "service_account": _service_account,
        "authorized_user": _authorized_user,
        "external_account": _external_account,
    }
    if kind not in known:
        raise StoreConfigurationError(
            f"the credentials in {credentials.name} are of the type {kind!r}, which Headway does not know",
            "It knows service_account, authorized_user and external_account with a file. "
            "Any other: export CLOUDSDK_AUTH_ACCESS_TOKEN=$(gcloud auth print-access-token)",
        )
    try:
        return known[kind](credentials, environ, clock)
    except KeyError as error:
        raise StoreConfigurationError(
            f"the credentials in {credentials.name} lack {error}", "Download or create the file anew."
        ) from error


def read_grant(answer: Answer, name: str, service: str, clock: Clock, hint: str) -> Token:
    """The token in an answer of a token service.

    Raises:
        StoreConfigurationError: It is a refusal; its words are the service's.
    """
    found = _json(answer)
    value = found.get("access_token")
    if answer.status == 200 and isinstance(value, str) and value:
        lasts = found.get("expires_in")
        return Token(value, clock() + float(lasts) if lasts else None)
    raise _refused(answer, found, name, service, hint)


def _service_account(credentials: Named, environ: Mapping[str, str], clock: Clock) -> Token:
    # Integers and DER: for pods that have a key, and no other.
    from headway.store.gs.rs256 import encode, read_key, sign

    fields = credentials.fields
    service = str(fields.get("token_uri") or _TOKEN_SERVICE)
    now = int(clock())
    header = {"alg": "RS256", "typ": "JWT", "kid": fields.get("private_key_id") or ""}
    claims = {
        "iss": fields["client_email"],
        "scope": SCOPE,
        "aud": service,
        "iat": now,
        "exp": now + _LIFETIME,
    }
    said = ".".join(encode(json.dumps(part).encode()) for part in (header, claims))
    try:
        signature = sign(read_key(str(fields["private_key"])), said.encode())
    except ValueError as error:
        raise StoreConfigurationError(
            f"the private key in {credentials.name} cannot be used: {error}", "Download the file anew."
        ) from None
    form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", f"{said}.{encode(signature)}"),
    ]
    answer = _post_form(service, form, credentials.name, environ)
    hint = f"Check that {fields['client_email']} and its key still exist, and the clock of this machine."
    return read_grant(answer, credentials.name, service, clock, hint)


def _authorized_user(credentials: Named, environ: Mapping[str, str], clock: Clock) -> Token:
    fields = credentials.fields
    service = str(fields.get("token_uri") or _TOKEN_SERVICE)
    form = [
        ("grant_type", "refresh_token"),
        ("client_id", str(fields["client_id"])),
        ("client_secret", str(fields["client_secret"])),
        ("refresh_token", str(fields["refresh_token"])),
    ]
    answer = _post_form(service, form, credentials.name, environ)
    return read_grant(answer, credentials.name, service, clock, _LOGIN)


def _external_account(credentials: Named, environ: Mapping[str, str], clock: Clock) -> Token:
    fields = credentials.fields
    service = str(fields.get("token_url") or _EXCHANGE_SERVICE)
    person = fields.get("service_account_impersonation_url")
    form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("audience", str(fields["audience"])),
        ("scope", _PLATFORM if person else SCOPE),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_token_type", str(fields["subject_token_type"])),
        ("subject_token", _subject_token(credentials)),
    ]
    answer = _post_form(service, form, credentials.name, environ)
    hint = "Check the workload identity pool and its provider, and that the token in the file is for them."
    token = read_grant(answer, credentials.name, service, clock, hint)
    return _impersonate(credentials, str(person), token, environ) if person else token


def _subject_token(credentials: Named) -> str:
    """The token of another identity provider, from the file that names it."""
    source = credentials.fields["credential_source"]
    path = source.get("file") if isinstance(source, dict) else None
    if not path:
        raise StoreConfigurationError(
            f"the credentials in {credentials.name} take their token from somewhere else than a file",
            "Headway knows credential_source with a file only. Any other: "
            "export CLOUDSDK_AUTH_ACCESS_TOKEN=$(gcloud auth print-access-token)",
        )
    layout = source.get("format") or {}
    try:
        with open(str(path), encoding="utf-8") as file:
            text = file.read()
        if layout.get("type") == "json":
            text = json.loads(text)[layout["subject_token_field_name"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it holds no token of the form that is told"
        raise StoreConfigurationError(
            f"{path}, which {credentials.name} takes its token from, cannot be read: {why}",
            "Check that the token is mounted, and credential_source in the credentials.",
        ) from None
    return str(text).strip()


def _impersonate(credentials: Named, url: str, token: Token, environ: Mapping[str, str]) -> Token:
    lifetime = (credentials.fields.get("service_account_impersonation") or {}).get("token_lifetime_seconds")
    body = json.dumps({"scope": [SCOPE], "lifetime": f"{lifetime or _LIFETIME}s"}).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {token.value}"}
    answer = _post(url, headers, body, credentials.name, environ)
    found = _json(answer)
    value = found.get("accessToken")
    if answer.status == 200 and isinstance(value, str) and value:
        return Token(value, epoch(str(found.get("expireTime") or "")))
    hint = "The identity needs roles/iam.workloadIdentityUser on that service account."
    raise _refused(answer, found, credentials.name, url, hint)


def _post_form(url: str, form: Sequence[Tuple[str, str]], name: str, environ: Mapping[str, str]) -> Answer:
    body = "&".join(f"{quote(field)}={quote(value)}" for field, value in form).encode()
    return _post(url, {"content-type": _FORM}, body, name, environ)


def _post(url: str, headers: Mapping[str, str], body: bytes, name: str, environ: Mapping[str, str]) -> Answer:
    server = parse_endpoint(url)
    connections = Connections(server._replace(path=""), environ)
    sent = {**headers, "content-length": str(len(body))}
    return ask(connections, "POST", server.path or "/", sent, f"{server.host} (for {name})", body)


def _json(answer: Answer) -> Dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _refused(
    answer: Answer, found: Mapping[str, Any], name: str, service: str, hint: str
) -> StoreConfigurationError:
    error = found.get("error")
    if isinstance(error, dict):
        said = str(error.get("message") or "")
    else:
        said = ": ".join(str(word) for word in (error, found.get("error_description")) if word)
    return StoreConfigurationError(
        f"{parse_endpoint(service).host} gives no token for the credentials in {name}: "
        f"{said or 'status ' + str(answer.status)}",
        hint,
    )
