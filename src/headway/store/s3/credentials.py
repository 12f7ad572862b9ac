"""The standard chain of AWS credentials: the first source that has some is used from then on.

What asks services for them is loaded where one is asked: most pods find theirs in the environment.
"""

import time
from functools import partial
from typing import Callable, List, Mapping, Optional

from headway.errors import StoreConfigurationError
from headway.store.net.chain import Chain, Source
from headway.store.s3.profiles import (
    active_profile,
    config_path,
    credentials_path,
    profile_keys,
    profile_name,
)
from headway.store.s3.signing import Credentials

_NOT_RUN = {
    "credential_process": "a credential process",
    "sso_session": "single sign-on",
    "sso_start_url": "single sign-on",
}


class CredentialChain(Chain[Credentials]):
    """Looks for credentials once, keeps them, and renews temporary ones before they end.

    In this order: the environment; a web identity token (IRSA); the shared files; the container's
    endpoint (ECS, EKS pod identity); the instance's metadata.

    Args:
        environ: The variables to look at.
        region: For the token service, where nothing else names a region.
        clock: Seconds since the epoch.
    """

    def __init__(
        self, environ: Mapping[str, str], region: str, clock: Callable[[], float] = time.time
    ) -> None:
        finders = (_environment, _web_identity, _shared_files, _container, _instance)
        super().__init__(
            [partial(find, environ, region) for find in finders],
            "S3",
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE. A pod gets them from a secret "
            "(@kubernetes(secrets=[…])), from here (--forward-credentials), or by its service account's role.",
            clock,
        )


def role_credentials(
    environ: Mapping[str, str], region: str, role: str, signer: Chain[Credentials]
) -> Chain[Credentials]:
    """Credentials of a role that is assumed with those of another chain, and again before they end."""
    from headway.store.s3.sts import assumed_role  # for clients that name a role

    def find(looked: List[str]) -> Source[Credentials]:
        return Source(f"the role {role}", lambda: assumed_role(environ, region, role, signer.get()))

    return Chain([find], "S3", "Is the role called so, and may these credentials assume it?")


def _environment(environ: Mapping[str, str], region: str, looked: List[str]) -> Optional[Source[Credentials]]:
    access, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if access and secret:
        token = environ.get("AWS_SESSION_TOKEN") or environ.get("AWS_SECURITY_TOKEN")
        found = Credentials(access, secret, token or None)
        return Source("AWS_ACCESS_KEY_ID in the environment", lambda: found)
    only = "AWS_SECRET_ACCESS_KEY is missing" if access else "not set"
    looked.append(f"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment ({only})")
    return None


def _web_identity(
    environ: Mapping[str, str], region: str, looked: List[str]
) -> Optional[Source[Credentials]]:
    role, file = environ.get("AWS_ROLE_ARN"), environ.get("AWS_WEB_IDENTITY_TOKEN_FILE")
    if role and file:
        from headway.store.s3.sts import web_identity

        name = environ.get("AWS_ROLE_SESSION_NAME") or "headway"
        return Source(f"the web identity of {role}", lambda: web_identity(environ, region, role, file, name))
    looked.append("AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE in the environment (not set)")
    return None


def _shared_files(
    environ: Mapping[str, str], region: str, looked: List[str]
) -> Optional[Source[Credentials]]:
    name = profile_name(environ)
    files = f"{credentials_path(environ)} and {config_path(environ)}"
    profile = active_profile(environ)
    where = f"profile {name!r} of {files}"
    if profile.get("role_arn"):
        from headway.store.s3.sts import profile_role

        return Source(where, lambda: profile_role(environ, region, name))
    if profile.get("aws_access_key_id") and profile.get("aws_secret_access_key"):
        return Source(where, lambda: profile_keys(active_profile(environ)))
    for setting, what in _NOT_RUN.items():
        if profile.get(setting):
            raise StoreConfigurationError(
                f"profile {name!r} of {files} uses {what}, which Headway does not run",
                f'Export its keys: eval "$(aws configure export-credentials --profile {name} --format env)"',
            )
    looked.append(f"{where} ({'no keys in it' if profile else 'no such profile'})")
    return None


def _container(environ: Mapping[str, str], region: str, looked: List[str]) -> Optional[Source[Credentials]]:
    url = environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    relative = environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    if relative:
        url = f"http://169.254.170.2{relative}"
    if not url:
        looked.append("AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI in the environment (not set)")
        return None
    from headway.store.s3.metadata import container

    address = url
    return Source(f"the container's endpoint {url}", lambda: container(environ, address))


def _instance(environ: Mapping[str, str], region: str, looked: List[str]) -> Optional[Source[Credentials]]:
    if environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        looked.append("the instance's metadata (AWS_EC2_METADATA_DISABLED is set)")
        return None
    from headway.store.s3.metadata import instance

    return Source("the instance's metadata", lambda: instance(environ))
