"""The token of whoever is signed in with the ``az`` command line. For launchers: no pod has one."""

import json
import subprocess
import time

from headway.errors import StoreConfigurationError
from headway.store.azure.signing import Credentials
from headway.store.azure.tokens import RESOURCE
from headway.store.net.chain import NoAnswerError

#: It is a program of many seconds on a slow machine.
_PATIENCE = 60.0


def signed_in(program: str) -> Credentials:
    """Ask the ``az`` program for a token.

    Args:
        program: Its path.

    Raises:
        NoAnswerError: Nobody is signed in, or it does not work.
        StoreConfigurationError: It answers something else.
    """
    command = [program, "account", "get-access-token", "--output", "json", "--resource", RESOURCE]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PATIENCE, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoAnswerError("az does not answer") from error
    if done.returncode:
        told = [line for line in done.stderr.splitlines() if line.strip()]
        raise NoAnswerError(told[-1].strip() if told else f"az ended with {done.returncode}")
    try:
        said = json.loads(done.stdout)
        ends = float(said["expires_on"]) if "expires_on" in said else time.time() + 600.0
        return Credentials(token=said["accessToken"], expires=ends)
    except (ValueError, KeyError, TypeError) as error:
        raise StoreConfigurationError(
            "`az account get-access-token` answers without a token",
            "Update the Azure command line, or: az login",
        ) from error
