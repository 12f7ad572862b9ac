"""Credentials of a role, from the token service."""

import time
from typing import Dict, List, Mapping, Optional, Tuple

from headway.errors import StoreConfigurationError
from headway.store.digest import sha256_of
from headway.store.net.connections import Connections
from headway.store.net.endpoints import Endpoint, parse_endpoint
from headway.store.net.inquiry import ask, epoch, read_token
from headway.store.net.markup import text_of
from headway.store.net.session import Query
from headway.store.s3.endpoints import TRUST
from headway.store.s3.profiles import profile_keys, read_profile
from headway.store.s3.signing import Credentials, Scope, authorization, encode_query, timestamp


def web_identity(environ: Mapping[str, str], region: str, role: str, file: str, session: str) -> Credentials:
    """Trade the token in the file for credentials of the role (IRSA, OIDC)."""
    query = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", role),
        ("RoleSessionName", session),
        ("WebIdentityToken", read_token(file, "AWS_WEB_IDENTITY_TOKEN_FILE")),
    ]
    return _ask_sts(environ, region, query, f"the web identity of {role}", None)


def assumed_role(environ: Mapping[str, str], region: str, role: str, signer: Credentials) -> Credentials:
    """Assume a role with these credentials."""
    query = _assuming(role, "headway")
    return _ask_sts(environ, region, query, f"the role {role}", signer)


def profile_role(environ: Mapping[str, str], region: str, name: str) -> Credentials:
    """Assume the role of a profile, as its ``source_profile`` or ``web_identity_token_file`` allows."""
    profile = read_profile(name, environ)
    role = profile["role_arn"]
    session = profile.get("role_session_name", "headway")
    region = profile.get("region", region)
    if profile.get("web_identity_token_file"):
        return web_identity(environ, region, role, profile["web_identity_token_file"], session)
    if profile.get("mfa_serial"):
        raise _unsupported(name, "wants a code from a second factor")
    if profile.get("credential_source"):
        raise _unsupported(name, f"takes its keys from credential_source={profile['credential_source']}")
    source = profile.get("source_profile", name)
    keys = read_profile(source, environ)
    if source != name and keys.get("role_arn"):
        signer = profile_role(environ, region, source)
    else:
        signer = profile_keys(keys)
        if not signer.access_key:
            raise _unsupported(name, f"takes its keys from profile {source!r}, which has none")
    query = _assuming(role, session)
    if profile.get("external_id"):
        query.append(("ExternalId", profile["external_id"]))
    return _ask_sts(environ, region, query, f"profile {name!r}", signer)


def _assuming(role: str, session: str) -> List[Tuple[str, str]]:
    return [
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", role),
        ("RoleSessionName", session),
    ]


def _ask_sts(
    environ: Mapping[str, str], region: str, query: Query, who: str, signer: Optional[Credentials]
) -> Credentials:
    server = _sts_server(environ, region)
    connections = Connections(server, environ, trust=TRUST)
    body = encode_query(query).encode()
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    if signer:
        headers.update(_signed(server, region, headers, body, signer))
    headers["content-length"] = str(len(body))
    answer = ask(connections, "POST", f"{server.path}/", headers, who, body)
    text = answer.body.decode("utf-8", "replace")
    if answer.status != 200:
        said = f"{text_of(text, 'Code') or answer.status}: {text_of(text, 'Message')}"
        raise StoreConfigurationError(
            f"the token service {server.url} refuses {who}: {said}",
            "Check the role's trust policy and that the token or the keys are still good.",
        )
    return Credentials(
        text_of(text, "AccessKeyId"),
        text_of(text, "SecretAccessKey"),
        text_of(text, "SessionToken"),
        epoch(text_of(text, "Expiration")),
    )


def _sts_server(environ: Mapping[str, str], region: str) -> Endpoint:
    named = environ.get("AWS_ENDPOINT_URL_STS")
    if named:
        return parse_endpoint(named)
    if environ.get("AWS_STS_REGIONAL_ENDPOINTS", "regional").lower() == "legacy":
        return Endpoint(True, "sts.amazonaws.com", 443)
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or region
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return Endpoint(True, f"sts.{region}.{domain}", 443)


def _signed(
    server: Endpoint, region: str, headers: Mapping[str, str], body: bytes, signer: Credentials
) -> Dict[str, str]:
    added = {"host": server.authority, "x-amz-date": timestamp(time.time())}
    if signer.token:
        added["x-amz-security-token"] = signer.token
    added["authorization"] = authorization(
        "POST",
        f"{server.path}/",
        "",
        {**headers, **added},
        sha256_of(body),
        signer,
        Scope("us-east-1" if server.host == "sts.amazonaws.com" else region, "sts"),
    )
    return added


def _unsupported(name: str, what: str) -> StoreConfigurationError:
    return StoreConfigurationError(
        f"profile {name!r} {what}, which Headway does not support",
        f'Export its keys first: eval "$(aws configure export-credentials --profile {name} --format env)"',
    )
