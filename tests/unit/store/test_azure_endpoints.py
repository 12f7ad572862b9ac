"""Where containers are reached."""

import pytest

from headway.errors import StoreConfigurationError
from headway.store.azure.endpoints import AzureAddress, account_in, address_of
from headway.store.forward import child_environment, credentials_to_forward
from headway.store.locations import AzureLocation, parse_location
from headway.store.net.endpoints import Endpoint, parse_endpoint

PUBLIC = Endpoint(True, "acct.blob.core.windows.net", 443)
STRING = "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=a2V5PQ==;EndpointSuffix=core.windows.net"


@pytest.mark.parametrize(
    ("root", "environ", "account", "url"),
    [
        ("wasbs://c@acct.blob.core.windows.net/p", {}, "acct", PUBLIC.url),
        ("azure://c/p", {"AZURE_STORAGE_ACCOUNT": "acct"}, "acct", PUBLIC.url),
        ("azure://c/p", {"AZURE_STORAGE_CONNECTION_STRING": STRING}, "acct", PUBLIC.url),
        (
            "azure://c/p",
            {"METAFLOW_AZURE_STORAGE_BLOB_SERVICE_ENDPOINT": "https://acct.blob.core.windows.net/"},
            "acct",
            PUBLIC.url,
        ),
        (
            "azure://c",
            {
                "HEADWAY_AZURE_STORAGE_BLOB_SERVICE_ENDPOINT": "https://blobs.corp",
                "AZURE_STORAGE_ACCOUNT": "acct",
            },
            "acct",
            "https://blobs.corp",
        ),
        (
            "http://10.0.0.1:10000/acct/c/p",
            {"AZURE_STORAGE_ACCOUNT": "other"},
            "acct",
            "http://10.0.0.1:10000/acct",
        ),
        (
            "azure://c",
            {"AZURE_STORAGE_CONNECTION_STRING": "UseDevelopmentStorage=true"},
            "devstoreaccount1",
            "http://127.0.0.1:10000/devstoreaccount1",
        ),
        (  # a private address of the same account
            "wasbs://c@acct.blob.core.windows.net",
            {"AZURE_STORAGE_SERVICE_ENDPOINT": "https://acct.blob.storage.azure.net"},
            "acct",
            "https://acct.blob.storage.azure.net",
        ),
        (  # the address of another account
            "wasbs://c@acct.blob.core.windows.net",
            {"AZURE_STORAGE_SERVICE_ENDPOINT": "https://other.blob.core.windows.net"},
            "acct",
            PUBLIC.url,
        ),
    ],
)
def test_an_account_is_found(root: str, environ: dict[str, str], account: str, url: str) -> None:
    location = parse_location(root)
    assert isinstance(location, AzureLocation)
    assert address_of(location, environ) == AzureAddress("c", account, parse_endpoint(url))


def test_an_account_that_nothing_tells_is_asked_for() -> None:
    with pytest.raises(StoreConfigurationError, match="in which storage account") as caught:
        address_of(AzureLocation("runs"), {})
    assert "wasbs://runs@<account>.blob.core.windows.net" in (caught.value.hint or "")


def test_a_connection_string_that_is_none_is_refused_without_its_secret() -> None:
    with pytest.raises(StoreConfigurationError, match="is no connection string") as caught:
        address_of(AzureLocation("runs"), {"AZURE_STORAGE_CONNECTION_STRING": "hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "account"),
    [
        ("https://acct-secondary.blob.core.windows.net", "acct"),
        ("http://azurite:10000/devstoreaccount1", "devstoreaccount1"),
        ("https://blobs.corp", ""),
    ],
)
def test_an_address_tells_its_account(url: str, account: str) -> None:
    assert account_in(parse_endpoint(url)) == account


def test_a_pod_gets_what_it_needs_and_no_secret() -> None:
    environ = {"AZURE_STORAGE_CONNECTION_STRING": STRING, "https_proxy": "http://proxy:1", "PATH": "/bin"}
    assert child_environment("azure://c/p", environ) == {
        "HEADWAY_AZURE_STORAGE_BLOB_SERVICE_ENDPOINT": PUBLIC.url,
        "AZURE_STORAGE_ACCOUNT": "acct",
        "HTTPS_PROXY": "http://proxy:1",
    }
    assert credentials_to_forward("azure://c/p", environ) == {"AZURE_STORAGE_KEY": "a2V5PQ=="}


@pytest.mark.parametrize(
    ("given", "lent"),
    [
        ({"AZURE_STORAGE_SAS_TOKEN": "?sv=1&sig=x"}, {"AZURE_STORAGE_SAS_TOKEN": "sv=1&sig=x"}),
        ({"HEADWAY_AZURE_STORAGE_TOKEN": "t"}, {"HEADWAY_AZURE_STORAGE_TOKEN": "t"}),
    ],
)
def test_each_kind_of_credentials_is_lent_under_its_name(given: dict[str, str], lent: dict[str, str]) -> None:
    assert credentials_to_forward("wasbs://c@acct.blob.core.windows.net/p", given) == lent
