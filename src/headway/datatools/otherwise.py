"""How a client reaches S3 otherwise than the environment says: as a role, or as one would tell boto3.

Loaded only where an ``S3`` is told so.
"""

from typing import Any, Callable, Dict, Mapping, Optional

from headway.datatools.errors import S3ClientError
from headway.datatools.roots import retry_policy
from headway.store.net.chain import Chain
from headway.store.s3.credentials import CredentialChain, role_credentials
from headway.store.s3.endpoints import REGION_VARIABLES, address_from_environment
from headway.store.s3.session import Session
from headway.store.s3.signing import Credentials

#: What boto3's clients take, by the variable that means the same and counts before all others.
_CLIENT = {
    "aws_access_key_id": "AWS_ACCESS_KEY_ID",
    "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "aws_session_token": "AWS_SESSION_TOKEN",
    "endpoint_url": "HEADWAY_S3_ENDPOINT_URL",
    "region_name": REGION_VARIABLES[0],
    "verify": "AWS_CA_BUNDLE",
}
#: The same of boto3's sessions.
_SESSION = {**_CLIENT, "profile_name": "AWS_PROFILE"}
del _SESSION["endpoint_url"], _SESSION["verify"]

#: Where the environment may name credentials that count before a profile's.
_KEYS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
)


def connecting(
    environ: Mapping[str, str],
    role: Optional[str] = None,
    session_vars: Optional[Mapping[str, Any]] = None,
    client_params: Optional[Mapping[str, Any]] = None,
) -> Callable[[str], Session]:
    """What opens the session of a bucket.

    Args:
        environ: What counts where nothing else is said.
        role: The role to assume with the credentials found.
        session_vars: As ``boto3.Session`` takes them: keys, region_name, profile_name.
        client_params: As ``boto3.client`` takes them: keys, endpoint_url, region_name, verify (a file of
            authorities, or True).

    Raises:
        S3ClientError: One of them has no meaning here.
    """
    told: Dict[str, str] = dict(environ)
    for argument, given, known in (
        ("session_vars", session_vars, _SESSION),
        ("client_params", client_params, _CLIENT),
    ):
        _overlay(told, argument, given or {}, known)

    def connect(bucket: str) -> Session:
        address = address_from_environment(bucket, told)
        chain: Chain[Credentials] = CredentialChain(told, address.region)
        if role is not None:
            chain = role_credentials(told, address.region, role, chain)
        return Session(address, told, credentials=chain, policy=retry_policy())

    return connect


def _overlay(told: Dict[str, str], argument: str, given: Mapping[str, Any], known: Mapping[str, str]) -> None:
    values = {name: value for name, value in given.items() if value is not None}
    if values.get("verify") is True:
        del values["verify"]
    for name, value in values.items():
        # Not the value: it may be a key.
        if name not in known or not isinstance(value, str):
            wrong = "has no meaning here" if name not in known else f"is text, not {type(value).__name__}"
            raise S3ClientError(
                f"S3({argument}=…): {name!r} {wrong}.",
                f"These have: {', '.join(sorted(known))}. Certificates are always checked.",
            )
    if "profile_name" in values or "aws_access_key_id" in values:
        # A key of one place does not go with the token of another.
        for variable in _KEYS:
            told.pop(variable, None)
    told.update((known[name], value) for name, value in values.items())
