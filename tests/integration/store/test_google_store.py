"""The conformance suite against a real emulator of Google Cloud Storage, and with what both launcher and pods open."""

import uuid
from collections.abc import Iterator

import pytest
from emulators.google import google_emulator, program
from emulators.program import UnavailableError

from headway.errors import KeyExistsError, StoreConfigurationError
from headway.store.base import ObjectStore
from headway.store.conditions import verify_conditions
from headway.store.gs.client import GoogleStore
from headway.store.open import open_store
from headway.testing.store_suite import ObjectStoreSuite

BUCKET = "headway"


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    try:
        program()
    except UnavailableError as error:
        pytest.skip(str(error))
    with google_emulator(BUCKET) as address:
        yield address


@pytest.fixture
def environ(emulator: str) -> dict[str, str]:
    return {"STORAGE_EMULATOR_HOST": emulator}


class TestGoogleStore(ObjectStoreSuite):
    @pytest.fixture
    def store(self, environ: dict[str, str]) -> ObjectStore:
        return GoogleStore(BUCKET, uuid.uuid4().hex, environ=environ)


def test_a_missing_bucket_is_told(environ: dict[str, str]) -> None:
    store = GoogleStore("missing", environ=environ)
    for call in (
        lambda: verify_conditions(store),
        lambda: store.put_if_absent("a", b"x"),
        lambda: store.put("a", bytes(17 << 20)),
        lambda: list(store.list("")),
        lambda: store.delete(["a"]),
    ):
        with pytest.raises(StoreConfigurationError, match="there is no bucket 'missing'"):
            call()


def test_a_listing_of_many_pages(environ: dict[str, str]) -> None:
    store = GoogleStore(BUCKET, uuid.uuid4().hex, environ=environ)
    names = [f"{number:05}" for number in range(1005)]
    for name in names:
        store.put(name, b"")
    assert [info.key for info in store.list("")] == names
    assert [info.key for info in store.list("0100", after="01001")] == ["01002", "01003", "01004"]
    store.delete(names)
    assert list(store.list("")) == []


def test_launcher_and_pods_open_the_same(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", environ["STORAGE_EMULATOR_HOST"])
    root = f"gs://{BUCKET}/{uuid.uuid4().hex}/a b"
    launcher, pod = open_store(root, prefer_native=True), open_store(root)
    launcher.put_if_absent("record", b"launcher")
    data, tag = pod.get_tagged("record")
    assert data == b"launcher"
    second = pod.replace("record", b"pod", tag)
    with pytest.raises(KeyExistsError):
        launcher.replace("record", b"late", tag)
    assert launcher.get_tagged("record") == (b"pod", second)
