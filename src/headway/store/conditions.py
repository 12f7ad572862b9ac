"""Whether a store honours conditional writes: on them rests that nothing is committed twice."""

from headway.errors import KeyExistsError, KeyNotFoundError, StoreConfigurationError
from headway.store.base import ObjectStore
from headway.store.layout import VERSION

#: One probe object per root, written once and used by every later check.
PROBE_KEY = f"{VERSION}/conditions"

_PROBE = b"Headway tests with this object whether conditional writes are honoured here.\n"

#: The tag of no version: well-formed for S3, and never the tag of the probe.
_NO_TAG = '"00000000000000000000000000000000"'

_HINT = (
    "Without conditional writes two tasks could overwrite each other's results. Use AWS S3, a recent "
    "MinIO, Ceph, SeaweedFS or Cloudflare R2, Google Cloud Storage, Azure Blob Storage, or a shared folder."
)


def verify_conditions(store: ObjectStore) -> None:
    """Find out whether the store keeps its promises about conditional writes, at the cost of three requests.

    Raises:
        StoreConfigurationError: It ignores the condition of ``put_if_absent`` or of ``replace``, or
            there is no such store.
        StoreUnavailableError: It does not answer.
    """
    # Read first: some servers make a missing bucket on the first write, and a typing error would go unseen.
    try:
        store.get(PROBE_KEY)
    except KeyNotFoundError:
        _put_first(store)
    if _put_second(store):
        raise StoreConfigurationError(
            f"the datastore {store.url} ignores the condition of a write: it overwrote what was to be kept",
            _HINT,
        )
    if _replace_wrong(store):
        raise StoreConfigurationError(
            f"the datastore {store.url} has no compare-and-swap: it replaced a version it was not asked to",
            _HINT,
        )


def _put_first(store: ObjectStore) -> None:
    try:
        store.put_if_absent(PROBE_KEY, _PROBE)
    except KeyExistsError:  # another process is checking too
        return


def _put_second(store: ObjectStore) -> bool:
    try:
        store.put_if_absent(PROBE_KEY, _PROBE)
    except KeyExistsError:
        return False
    return True


def _replace_wrong(store: ObjectStore) -> bool:
    try:
        store.replace(PROBE_KEY, _PROBE, _NO_TAG)
    except KeyExistsError:
        return False
    return True
