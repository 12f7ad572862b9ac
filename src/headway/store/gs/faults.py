"""What Google Cloud Storage answers, said in the words of Headway's errors."""

import json
from typing import Tuple

from headway.errors import KeyNotFoundError, StoreConfigurationError, StoreError
from headway.store.gs.address import EMULATOR_VARIABLE, GoogleAddress
from headway.store.net.answers import Answer, Fault
from headway.store.net.retries import RETRIED_STATUS

_PASSING = {"backendError", "internalError", "rateLimitExceeded", "userRateLimitExceeded"}

_LONGEST = 300


def parse_fault(answer: Answer) -> Fault:
    """What an answer with an error says: JSON, or plain words where content was asked for."""
    text = answer.body.decode("utf-8", "replace").strip()
    reason, message = _from_json(text) if text.startswith("{") else ("", " ".join(text.split())[:_LONGEST])
    return Fault(answer.status, reason, message, foreign=text[:1] == "<" and not reason)


def is_retried(fault: Fault) -> bool:
    """Whether the same request may well succeed a moment later."""
    return fault.status in RETRIED_STATUS or fault.status == 408 or fault.code in _PASSING


def fault_error(fault: Fault, address: GoogleAddress, doing: str, key: str, source: str) -> StoreError:
    """The error for an answer that retries do not mend.

    Args:
        fault: What the server said.
        address: Of the bucket.
        doing: The operation in words ("reading", "writing", "listing", "deleting").
        key: The full key in the bucket.
        source: Where the credentials came from.
    """
    where = address.place.where
    what = key or "objects"
    said = ": ".join(word for word in (fault.code or f"status {fault.status}", fault.message) if word)
    if _is_missing_bucket(fault, doing):
        return no_bucket(address)
    if fault.foreign and 400 <= fault.status < 500:
        return StoreConfigurationError(
            f"{where}: what answers there is no Google Cloud Storage "
            f"(status {fault.status} while {doing} {what})",
            f"Check {address.place.check} and HTTP_PROXY, HTTPS_PROXY, NO_PROXY.",
        )
    if fault.status == 404:
        return KeyNotFoundError(f"there is no {key} in {where}")
    if fault.status == 401:
        return StoreConfigurationError(
            f"{where} does not accept these credentials (from {source}; {said})",
            "They may have ended or been revoked. Sign in again (gcloud auth application-default login), "
            "or check the file that GOOGLE_APPLICATION_CREDENTIALS names.",
        )
    if fault.status == 403:
        return StoreConfigurationError(
            f"{doing} {what} in {where} is not allowed (credentials from {source}; {said})",
            "The identity needs the role roles/storage.objectUser on the bucket "
            f"(gcloud storage buckets add-iam-policy-binding gs://{address.bucket} …).",
        )
    return StoreError(f"{doing} {what} in {where} failed: {said}")


def no_bucket(address: GoogleAddress) -> StoreConfigurationError:
    """The error for a bucket that is not there."""
    hint = f"Type: gcloud storage buckets create gs://{address.bucket}, or name another one."
    if address.emulated:
        hint = f"Create it in the emulator, or unset {EMULATOR_VARIABLE} to reach Google itself."
    return StoreConfigurationError(f"there is no {address.place.where}", hint)


def _is_missing_bucket(fault: Fault, doing: str) -> bool:
    """Google has one reason for all that is missing: where one writes or lists, it is the bucket."""
    if fault.status != 404 or fault.foreign:
        return False
    return doing in ("writing", "listing") or "bucket does not exist" in fault.message


def _from_json(text: str) -> Tuple[str, str]:
    """The first reason and the message of an error document, "" where it has none."""
    try:
        error = json.loads(text)["error"]
        if isinstance(error, str):  # the token service's way
            return error, ""
        reasons = error.get("errors") or [{}]
        return str(reasons[0].get("reason") or ""), str(error.get("message") or "")[:_LONGEST]
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", " ".join(text.split())[:_LONGEST]
