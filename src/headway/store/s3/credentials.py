"""The standard chain of AWS credentials: the first source that has some is used from then on."""

import os
import time
from threading import Lock
from typing import Callable, List, Mapping, NamedTuple, Optional

from headway.errors import StoreConfigurationError, StoreUnavailableError
from headway.store.s3.inquiry import NoAnswerError
from headway.store.s3.metadata import container, instance
from headway.store.s3.profiles import active_profile, config_path, credentials_path, profile_name
from headway.store.s3.signing import Credentials
from headway.store.s3.sts import profile_keys, profile_role, web_identity

#: Temporary credentials are renewed this long before their end.
_RENEW_SECONDS = 300.0

#: A renewal that failed is not tried again so soon while the old credentials still hold.
_RENEW_PAUSE_SECONDS = 30.0


_NOT_RUN = {
    "credential_process": "a credential process",
    "sso_session": "single sign-on",
    "sso_start_url": "single sign-on",
}


class Source(NamedTuple):
    """Where credentials came from, and how to fetch them again."""

    name: str
    fetch: Callable[[], Credentials]


class CredentialChain:
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
        self._environ = environ
        self._region = region
        self._clock = clock
        self._source: Optional[Source] = None
        self._current: Optional[Credentials] = None
        self._renewed = 0.0
        self._lock = Lock()
        self._pid = os.getpid()

    @property
    def source(self) -> str:
        """Where the credentials came from, in words."""
        return self._source.name if self._source else "nowhere yet"

    def get(self) -> Credentials:
        """Credentials that hold for at least the next minutes.

        Raises:
            StoreConfigurationError: There are none; the message lists where they were looked for.
            StoreUnavailableError: The service that gives them does not answer.
        """
        current = self._current
        if current is not None and not self._is_due(current):
            return current
        if self._pid != os.getpid():  # the lock may have been held by a thread that the fork left behind
            self._lock, self._pid = Lock(), os.getpid()
        with self._lock:
            if self._current is None or self._is_due(self._current):
                self._current = self._fetch(self._current)
            return self._current

    def renew(self, stale: Credentials) -> bool:
        """Drop credentials that the store calls expired; whether other ones can be had."""
        if self._current == stale and self._source is not None:
            try:
                self._current = self._source.fetch()
            except (StoreConfigurationError, StoreUnavailableError):
                return False
        return self._current != stale

    def _is_due(self, credentials: Credentials) -> bool:
        if credentials.expires is None:
            return False
        now = self._clock()
        if now >= credentials.expires:
            return True
        return now >= credentials.expires - _RENEW_SECONDS and now >= self._renewed + _RENEW_PAUSE_SECONDS

    def _fetch(self, previous: Optional[Credentials]) -> Credentials:
        if self._source is None:
            return self._search()
        try:
            fresh = self._source.fetch()
        except StoreUnavailableError:
            # Half an hour without the token service is no reason to stop while the keys still hold.
            if previous is None or previous.expires is None or self._clock() >= previous.expires:
                raise
            fresh = previous
        self._renewed = self._clock()
        return fresh

    def _search(self) -> Credentials:
        environ = self._environ
        looked: List[str] = []
        for find in (_environment, _web_identity, _shared_files, _container, _instance):
            source = find(environ, self._region, looked)
            if source is None:
                continue
            try:
                found = source.fetch()
            except NoAnswerError as error:
                looked.append(f"{source.name} ({error})")
                continue
            self._source, self._renewed = source, self._clock()
            return found
        raise StoreConfigurationError(
            "no credentials for S3 were found. Looked at:\n" + "\n".join(f"  - {place}" for place in looked),
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE. A pod gets them from a secret "
            "(@kubernetes(secrets=[…])), from here (--forward-credentials), or by its service account's role.",
        )


def _environment(environ: Mapping[str, str], region: str, looked: List[str]) -> Optional[Source]:
    access, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if access and secret:
        token = environ.get("AWS_SESSION_TOKEN") or environ.get("AWS_SECURITY_TOKEN")
        found = Credentials(access, secret, token or None)
        return Source("AWS_ACCESS_KEY_ID in the environment", lambda: found)
    only = "AWS_SECRET_ACCESS_KEY is missing" if access else "not set"
    looked.append(f"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment ({only})")
    return None


def _web_identity(environ: Mapping[str, str], region: str, looked: List[str]) -> Optional[Source]:
    role, file = environ.get("AWS_ROLE_ARN"), environ.get("AWS_WEB_IDENTITY_TOKEN_FILE")
    if role and file:
        name = environ.get("AWS_ROLE_SESSION_NAME") or "headway"
        return Source(f"the web identity of {role}", lambda: web_identity(environ, region, role, file, name))
    looked.append("AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE in the environment (not set)")
    return None


def _shared_files(environ: Mapping[str, str], region: str, looked: List[str]) -> Optional[Source]:
    name = profile_name(environ)
    files = f"{credentials_path(environ)} and {config_path(environ)}"
    profile = active_profile(environ)
    where = f"profile {name!r} of {files}"
    if profile.get("role_arn"):
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


def _container(environ: Mapping[str, str], region: str, looked: List[str]) -> Optional[Source]:
    url = environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    relative = environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    if relative:
        url = f"http://169.254.170.2{relative}"
    if not url:
        looked.append("AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI in the environment (not set)")
        return None
    address = url
    return Source(f"the container's endpoint {url}", lambda: container(environ, address))


def _instance(environ: Mapping[str, str], region: str, looked: List[str]) -> Optional[Source]:
    if environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        looked.append("the instance's metadata (AWS_EC2_METADATA_DISABLED is set)")
        return None
    return Source("the instance's metadata", lambda: instance(environ))
