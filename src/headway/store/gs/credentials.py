"""Google's application default credentials: the first source that has some is used from then on.

What signs and asks for tokens is loaded where there are credentials: a pod with an emulator has none.
"""

import json
import os
import time
from functools import partial
from typing import Any, Callable, Dict, List, Mapping, Optional

from headway.errors import StoreConfigurationError
from headway.store.gs.address import EMULATOR_VARIABLE, address_from_environment
from headway.store.gs.tokens import Named, Token
from headway.store.net.chain import Chain, Source

#: What a launcher lends its pods: the text of a file of credentials, as GOOGLE_APPLICATION_CREDENTIALS names one.
LENT_VARIABLE = "HEADWAY_GOOGLE_CREDENTIALS"
#: An access token itself, under the name that gcloud has for it.
TOKEN_VARIABLE = "CLOUDSDK_AUTH_ACCESS_TOKEN"  # noqa: S105  (a name)
FILE_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"

_HINT = (
    "On this machine: gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS to a service "
    "account's file. A pod gets them from here (--forward-credentials), from a secret, or by its service "
    "account's identity (workload identity)."
)


#: A token that was granted in this process is taken for another store as long as it holds for so many seconds:
#: a little more than those at whose end it is renewed.
_LEAST_SECONDS = 330.0

#: By what they were granted for. A forked child goes on with its parent's, instead of asking for one of its own.
_granted: Dict[str, Token] = {}


class GoogleChain(Chain[Token]):
    """Looks for credentials once, keeps the token that they give, and renews it before it ends.

    In this order: none, for an emulator; what a launcher lent; a token in the environment; the file that
    GOOGLE_APPLICATION_CREDENTIALS names; the one that gcloud keeps; the machine's metadata server.

    Args:
        environ: The variables to look at.
        clock: Seconds since the epoch.
    """

    def __init__(self, environ: Mapping[str, str], clock: Callable[[], float] = time.time) -> None:
        finders = (_emulator, _lent, _token, _file, _metadata)
        super().__init__(
            [partial(find, environ, clock) for find in finders], "Google Cloud Storage", _HINT, clock
        )

    def renew(self, stale: Token) -> bool:
        forget_tokens()
        return super().renew(stale)


def forget_tokens() -> None:
    """Take no token from before for another store."""
    _granted.clear()


def find_lent(environ: Mapping[str, str]) -> Optional[Named]:
    """What a launcher lent, None in most places.

    Raises:
        StoreConfigurationError: It is damaged.
    """
    text = environ.get(LENT_VARIABLE)
    return Named(_parse(text, LENT_VARIABLE), f"{LENT_VARIABLE} in the environment") if text else None


def find_file(environ: Mapping[str, str], looked: List[str]) -> Optional[Named]:
    """Credentials in a file, None where there are none.

    Args:
        environ: The variables to look at.
        looked: Where they are not is added to this.

    Raises:
        StoreConfigurationError: What should hold them does not.
    """
    named = environ.get(FILE_VARIABLE)
    if named:
        return Named(_read(named, f"{FILE_VARIABLE} names {named}, which"), f"{named} ({FILE_VARIABLE})")
    looked.append(f"{FILE_VARIABLE} in the environment (not set)")
    kept = well_known_file(environ)
    if os.path.exists(kept):
        return Named(_read(kept, kept), kept)
    looked.append(f"{kept} (gcloud's; no such file)")
    return None


def well_known_file(environ: Mapping[str, str]) -> str:
    """Where ``gcloud auth application-default login`` leaves its credentials."""
    folder = environ.get("CLOUDSDK_CONFIG") or os.path.expanduser("~/.config/gcloud")
    return f"{folder}/application_default_credentials.json"


def find_token(environ: Mapping[str, str]) -> Optional[Token]:
    """The token that stands in the environment; when it ends is not known."""
    value = (environ.get(TOKEN_VARIABLE) or "").strip()
    return Token(value) if value else None


def _emulator(
    environ: Mapping[str, str], clock: Callable[[], float], looked: List[str]
) -> Optional[Source[Token]]:
    if not address_from_environment("", environ).emulated:
        return None
    return Source(f"nowhere, as {EMULATOR_VARIABLE} is set", lambda: Token(""))


def _lent(
    environ: Mapping[str, str], clock: Callable[[], float], looked: List[str]
) -> Optional[Source[Token]]:
    return _of_file(find_lent(environ), environ, clock)


def _token(
    environ: Mapping[str, str], clock: Callable[[], float], looked: List[str]
) -> Optional[Source[Token]]:
    found = find_token(environ)
    if found is None:
        looked.append(f"{TOKEN_VARIABLE} in the environment (not set)")
        return None
    token = found
    return Source(f"{TOKEN_VARIABLE} in the environment", lambda: token)


def _file(
    environ: Mapping[str, str], clock: Callable[[], float], looked: List[str]
) -> Optional[Source[Token]]:
    return _of_file(find_file(environ, looked), environ, clock)


def _of_file(
    credentials: Optional[Named], environ: Mapping[str, str], clock: Callable[[], float]
) -> Optional[Source[Token]]:
    if credentials is None:
        return None
    from headway.store.gs.grants import grant

    found = credentials
    key = json.dumps(found.fields)
    return Source(found.name, partial(_remembered, key, lambda: grant(found, environ, clock), clock))


def _metadata(
    environ: Mapping[str, str], clock: Callable[[], float], looked: List[str]
) -> Optional[Source[Token]]:
    if environ.get("NO_GCE_CHECK", "").lower() == "true":
        looked.append("the metadata server (NO_GCE_CHECK is set)")
        return None
    from headway.store.gs.metadata import metadata_token

    name = "the metadata server"
    return Source(name, partial(_remembered, name, lambda: metadata_token(environ, clock), clock))


def _remembered(key: str, fetch: Callable[[], Token], clock: Callable[[], float]) -> Token:
    token = _granted.get(key)
    if token is None or token.expires is None or token.expires - clock() < _LEAST_SECONDS:
        token = _granted[key] = fetch()
    return token


def _read(path: str, subject: str) -> Dict[str, Any]:
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise StoreConfigurationError(
            f"{subject} cannot be read: {why}", f"Set {FILE_VARIABLE} to a file of credentials that is there."
        ) from error
    return _parse(text, subject)


def _parse(text: str, subject: str) -> Dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None  # not chained: the error would show a part of the text
    if not isinstance(found, dict) or not found.get("type"):
        raise StoreConfigurationError(
            f"{subject} holds no credentials of Google's",
            "It must be a JSON file with a type: service_account, authorized_user or external_account.",
        )
    return found
