"""What a launcher tells its pods of the way to the datastore: not what is said otherwise, nor what leads astray."""

import pytest

from headway.store.forward import places, unreachable, unsaid
from headway.store.net.endpoints import is_loopback

S3 = "s3://bucket/root"
TOLD = {
    "AWS_ENDPOINT_URL_S3": "http://localhost:9000",
    "AWS_REGION": "eu-west-1",
    "AWS_ENDPOINT_URL_STS": "https://sts.example",
    "HTTPS_PROXY": "127.0.0.1:3128",
    "NO_PROXY": "127.0.0.1,localhost",
    "HEADWAY_DATATOOLS_S3ROOT": "s3://bucket/data",
}


@pytest.mark.parametrize(
    ("said", "left_out"),
    [
        ([], []),
        (["AWS_ENDPOINT_URL_S3"], ["AWS_ENDPOINT_URL_S3"]),
        (["HEADWAY_S3_ENDPOINT_URL"], ["AWS_ENDPOINT_URL_S3"]),
        (["AWS_ENDPOINT_URL"], ["AWS_ENDPOINT_URL_S3"]),
        (["AWS_DEFAULT_REGION"], ["AWS_REGION"]),
        (["https_proxy"], ["HTTPS_PROXY"]),
        (["no_proxy", "http_proxy"], ["NO_PROXY"]),
        (["METAFLOW_DATATOOLS_S3ROOT"], ["HEADWAY_DATATOOLS_S3ROOT"]),
        (["AWS_ACCESS_KEY_ID", "PATH"], []),
    ],
)
def test_what_somebody_says_of_pods_wins_by_whichever_name(said: list[str], left_out: list[str]) -> None:
    assert set(TOLD) - set(unsaid(S3, TOLD, said)) == set(left_out)


@pytest.mark.parametrize(
    ("url", "told", "said"),
    [
        ("gs://bucket", "STORAGE_EMULATOR_HOST", "METAFLOW_GS_ENDPOINT_URL"),
        ("gs://bucket", "HEADWAY_GS_ENDPOINT_URL", "STORAGE_EMULATOR_HOST"),
        ("azure://c/p", "HEADWAY_AZURE_STORAGE_BLOB_SERVICE_ENDPOINT", "AZURE_STORAGE_CONNECTION_STRING"),
        ("azure://c/p", "AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"),
    ],
)
def test_each_kind_of_store_has_its_names(url: str, told: str, said: str) -> None:
    assert unsaid(url, {told: "x"}, [said]) == {}
    assert unsaid(url, {told: "x"}, ["AWS_REGION"]) == {told: "x"}


def test_a_folder_is_told_of_no_way() -> None:
    assert unsaid("/data", {}, []) == {}
    assert unsaid("/data", {"HEADWAY_DATATOOLS_SUFFIX": "x"}, ["A"]) == {"HEADWAY_DATATOOLS_SUFFIX": "x"}
    assert places("/data", {"HEADWAY_DATATOOLS_SUFFIX": "x"}) == {}


def test_what_leads_back_to_the_pod_is_named_and_what_of_it_is_the_store() -> None:
    astray = unreachable(TOLD)
    assert set(astray) == {"AWS_ENDPOINT_URL_S3", "HTTPS_PROXY"}, "NO_PROXY is none that anybody goes to"
    assert places(S3, astray) == {"AWS_ENDPOINT_URL_S3": "http://localhost:9000"}


@pytest.mark.parametrize(
    ("address", "back"),
    [
        ("http://localhost:9000", True),
        ("localhost:4443", True),
        ("http://LOCALHOST", True),
        ("https://minio.localhost./x", True),
        ("http://127.0.0.1:3128", True),
        ("127.8.9.1", True),
        ("http://me@127.0.0.1:1", True),
        ("http://[::1]:9000/", True),
        ("http://minio:9000", False),
        ("http://10.127.0.1", False),
        ("http://host/127.0.0.1", False),
        ("https://localhost.example.com", False),
        ("http://[fd00::1]:9000", False),
        ("", False),
    ],
)
def test_which_addresses_lead_back(address: str, back: bool) -> None:
    assert is_loopback(address) is back
