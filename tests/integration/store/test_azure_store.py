"""The conformance suite against a real emulator of Azure Blob Storage, and with what both launcher and pods open."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
import trustme
from emulators.azure import ACCOUNT, KEY, azurite, program, variables
from emulators.program import UnavailableError

from headway.errors import KeyExistsError, StoreConfigurationError, StoreUnavailableError
from headway.store.azure.client import AzureStore
from headway.store.base import ObjectStore
from headway.store.conditions import verify_conditions
from headway.store.locations import AzureLocation
from headway.store.open import open_store
from headway.testing.store_suite import ObjectStoreSuite, race

CONTAINER = "headway"


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    try:
        program()
    except UnavailableError as error:
        pytest.skip(str(error))
    with azurite(CONTAINER) as service:
        yield service


@pytest.fixture
def environ(service: str) -> dict[str, str]:
    return variables(service)


@pytest.fixture
def location() -> AzureLocation:
    return AzureLocation(CONTAINER, uuid.uuid4().hex)


class TestAzureStore(ObjectStoreSuite):
    @pytest.fixture
    def store(self, location: AzureLocation, environ: dict[str, str]) -> ObjectStore:
        return AzureStore(location, environ=environ)


class TestAzureStoreWithASignature(ObjectStoreSuite):
    @pytest.fixture
    def store(self, location: AzureLocation, service: str) -> ObjectStore:
        environ = {
            **variables(service),
            "AZURE_STORAGE_KEY": "",
            "AZURE_STORAGE_SAS_TOKEN": signature("racwdl"),
        }
        return AzureStore(location, environ=environ)


def signature(permissions: str) -> str:
    """A shared access signature for the container, for an hour."""
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    version = "2020-12-06"
    fields = [permissions, "", ends, f"/blob/{ACCOUNT}/{CONTAINER}", "", "", "", version, "c", *[""] * 7]
    digest = hmac.digest(base64.b64decode(KEY), "\n".join(fields).encode(), hashlib.sha256)
    signed = base64.b64encode(digest).decode()
    return urlencode({"sp": permissions, "se": ends, "sv": version, "sr": "c", "sig": signed})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"AZURE_STORAGE_KEY": "d3Jvbmc="},
            r"is not allowed \(credentials from AZURE_STORAGE_KEY .*authenticate",
        ),
        ({"CONTAINER": "missing"}, "there is no container 'missing' of storage account 'devstoreaccount1'"),
        ({"AZURE_STORAGE_KEY": "", "SIGNED": "r"}, "is not allowed"),
        ({"CONTAINER": "Not-A-Name_"}, "cannot be the name of a container|no container"),
    ],
)
def test_wrong_configuration_is_refused(environ: dict[str, str], change: dict[str, str], words: str) -> None:
    environ = {**environ, **change}
    if "SIGNED" in environ:
        environ["AZURE_STORAGE_SAS_TOKEN"] = signature(environ["SIGNED"])
    store = AzureStore(AzureLocation(environ.get("CONTAINER", CONTAINER)), environ=environ)
    with pytest.raises(StoreConfigurationError, match=words) as caught:
        verify_conditions(store)
    assert caught.value.hint


@pytest.fixture(scope="module")
def for_tokens(service: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The variables that tell of an emulator that takes tokens."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    with azurite(CONTAINER, folder=folder) as secure:
        yield {**variables(secure), "SSL_CERT_FILE": str(folder / "ca.pem"), "AZURE_STORAGE_KEY": ""}


class _Rooted(ObjectStoreSuite):
    """What a root in an URL's form opens, in a pod and at the launcher."""

    @pytest.fixture
    def told(self) -> dict[str, str]:
        """The variables beside the root."""
        raise NotImplementedError

    @pytest.fixture
    def root(self) -> str:
        raise NotImplementedError

    @pytest.fixture(params=["pod", "launcher"])
    def store(
        self,
        request: pytest.FixtureRequest,
        root: str,
        told: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> ObjectStore:
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        opened = open_store(root, prefer_native=request.param == "launcher")
        # As an address that needs no further variable to be found.
        assert opened.url.endswith(root.rpartition("/ab")[0][-32:] + "/ab")
        return opened


class TestARootOfTheFormWasbs(_Rooted):
    @pytest.fixture
    def told(self, environ: dict[str, str]) -> dict[str, str]:
        return {**environ, "AZURE_STORAGE_ACCOUNT": "another"}

    @pytest.fixture
    def root(self) -> str:
        return f"wasbs://{CONTAINER}@{ACCOUNT}.blob.core.windows.net/{uuid.uuid4().hex}/ab"


class TestARootOfTheFormHttps(_Rooted):
    @pytest.fixture
    def told(self, for_tokens: dict[str, str]) -> dict[str, str]:
        # Nothing but key and authority: where the service is stands in the root.
        return {"SSL_CERT_FILE": for_tokens["SSL_CERT_FILE"], "AZURE_STORAGE_KEY": KEY}

    @pytest.fixture
    def root(self, for_tokens: dict[str, str]) -> str:
        service = for_tokens["HEADWAY_AZURE_STORAGE_BLOB_SERVICE_ENDPOINT"]
        assert service.startswith("https://")
        return f"{service}/{CONTAINER}/{uuid.uuid4().hex}/ab"


def token(seconds: int) -> str:
    """One like those of Microsoft Entra, that ends after so many seconds."""
    now = int(time.time())
    says = {
        "aud": "https://storage.azure.com",
        "iss": "https://sts.windows.net/tenant/",
        "iat": now - 60,
        "nbf": now - 60,
        "exp": now + seconds,
    }
    parts = [json.dumps({"alg": "RS256", "typ": "JWT"}), json.dumps(says), "signature"]
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)


def test_a_token_is_taken_under_tls(for_tokens: dict[str, str], location: AzureLocation) -> None:
    store = AzureStore(location, environ={**for_tokens, "HEADWAY_AZURE_STORAGE_TOKEN": token(600)})
    verify_conditions(store)
    content = bytes(17 << 20)
    store.put("large", content)
    assert store.get("large") == content


def test_a_token_that_is_over_is_told(for_tokens: dict[str, str], location: AzureLocation) -> None:
    store = AzureStore(location, environ={**for_tokens, "HEADWAY_AZURE_STORAGE_TOKEN": token(-30)})
    with pytest.raises(StoreConfigurationError, match=r"have expired \(from HEADWAY_AZURE_STORAGE_TOKEN"):
        store.get("a")


def test_an_endpoint_that_is_not_there_is_told_soon() -> None:
    store = AzureStore(AzureLocation(CONTAINER), environ=variables("http://127.0.0.1:1/account"))
    with pytest.raises(StoreUnavailableError, match="the connection is refused, nothing listens there"):
        store.get("a")


def test_who_writes_the_same_large_blob_at_once_does_not_spoil_it(
    location: AzureLocation, environ: dict[str, str]
) -> None:
    content = bytes(range(256)) * (20 << 12)
    stores = [AzureStore(location, environ=environ) for _ in range(3)]
    assert len(race(3, lambda number: stores[number].put("large", content))) == 3
    assert stores[0].get("large") == content


def test_a_listing_of_many_pages(location: AzureLocation, environ: dict[str, str]) -> None:
    store = AzureStore(location, environ=environ, page=4)
    names = [f"{number:02}" for number in range(13)]
    for name in names:
        store.put(name, b"")
    assert [info.key for info in store.list("")] == names
    assert [info.key for info in store.list("1", after="10")] == ["11", "12"]


def test_launcher_and_pods_open_the_same(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_KEY", KEY)
    root = f"{service}/{CONTAINER}/{uuid.uuid4().hex}/ab"
    launcher, pod = open_store(root, prefer_native=True), open_store(root)
    assert launcher.url == pod.url == root
    launcher.put_if_absent("record", b"launcher")
    data, tag = pod.get_tagged("record")
    assert data == b"launcher"
    second = pod.replace("record", b"pod", tag)
    with pytest.raises(KeyExistsError):
        launcher.replace("record", b"late", tag)
    assert launcher.get_tagged("record") == (b"pod", second)
