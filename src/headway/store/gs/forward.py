"""What a pod is told of a bucket, and lent of a launcher's access to it."""

import json
from typing import Dict, Mapping, Tuple

from headway.store.gs.address import EMULATOR_VARIABLE, ENDPOINT_VARIABLES, address_from_environment
from headway.store.gs.credentials import (
    LENT_VARIABLE,
    TOKEN_VARIABLE,
    GoogleChain,
    find_file,
    find_lent,
    find_token,
)
from headway.store.locations import GoogleLocation

#: What else a pod is given as it is set here: nothing.
PASSED_ON: Tuple[str, ...] = ()

#: Names for the same; those of the first row say where the store is.
SAME = ((*ENDPOINT_VARIABLES, EMULATOR_VARIABLE),)

#: The kinds of credentials that are good wherever they are: not bound to files or services of this machine.
_PORTABLE = {
    "service_account": ("client_email", "private_key", "private_key_id", "token_uri"),
    "authorized_user": ("client_id", "client_secret", "refresh_token", "token_uri"),
}


def environment(location: GoogleLocation, environ: Mapping[str, str]) -> Dict[str, str]:
    """The server's address, where it is not Google's own."""
    address = address_from_environment(location.bucket, environ)
    if not address.endpoint:
        return {}
    return {EMULATOR_VARIABLE if address.emulated else ENDPOINT_VARIABLES[0]: address.endpoint}


def credentials(location: GoogleLocation, environ: Mapping[str, str]) -> Dict[str, str]:
    """What this process reaches the bucket with, under the names that a pod reads.

    A service account's key or a person's login as they are, from which the pod gets tokens itself; of
    what is bound to this machine its present token, which ends within the hour. Nothing for an emulator.

    Raises:
        StoreConfigurationError: There are none, or they are refused.
    """
    if address_from_environment(location.bucket, environ).emulated:
        return {}
    # Whether they are any good is better known here than from a pod.
    token = GoogleChain(environ).get()
    named = find_lent(environ)
    if named is None and find_token(environ) is None:
        named = find_file(environ, [])
    if named is None or named.fields["type"] not in _PORTABLE:
        return {TOKEN_VARIABLE: token.value}
    kind = named.fields["type"]
    needed = {field: named.fields[field] for field in _PORTABLE[kind] if named.fields.get(field)}
    return {LENT_VARIABLE: json.dumps({"type": kind, **needed})}
