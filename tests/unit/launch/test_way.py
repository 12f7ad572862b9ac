"""The way to the datastore that pods are told of, and what of this machine's own is none for them."""

from typing import Any

import pytest

from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import Layer, resolve_kubernetes
from headway.errors import SettingsError
from headway.launch.way import check_way, way_of_pods

URL = "s3://bucket/root"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://minio:9000")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:3128")


def step(**env: Any) -> KubernetesSettings:
    return resolve_kubernetes("train", decorator=Layer({"env": env}, "@kubernetes")).settings


def test_a_proxy_on_this_machine_is_for_pods_of_this_machine_alone() -> None:
    assert way_of_pods(URL, here=True)["HTTPS_PROXY"] == "http://127.0.0.1:3128"
    assert way_of_pods(URL, here=False) == {
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL_S3": "http://minio:9000",
    }


def test_what_is_not_passed_on_is_told_unless_pods_have_their_own() -> None:
    own = step(https_proxy="http://proxy:1")
    assert list(check_way(URL, {"train": own})) == []
    (line,) = check_way(URL, {"train": step(), "end": step()})
    assert line.startswith("HTTPS_PROXY=http://127.0.0.1:3128 is not passed on to pods, to which")
    assert "HEADWAY_KUBERNETES_ENV" in line
    (line,) = check_way(URL, {"train": own, "end": step()})
    assert "is not passed on to pods of end, to which" in line
    assert list(check_way(URL, {})) == [], "pods of this machine"


def test_a_datastore_that_pods_would_look_for_on_themselves_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("HTTPS_PROXY")
    monkeypatch.setenv("HEADWAY_S3_ENDPOINT_URL", "http://localhost:9000")
    own = step(AWS_ENDPOINT_URL="http://minio.minio:9000")
    assert list(check_way(URL, {"train": own})) == []
    with pytest.raises(SettingsError) as caught:
        list(check_way(URL, {"train": own, "end": step()}))
    assert "AWS_ENDPOINT_URL_S3='http://localhost:9000'" in caught.value.message
    assert f"{URL}; to a pod of step end it is the pod itself" in caught.value.message
    assert 'HEADWAY_KUBERNETES_ENV=\'{"AWS_ENDPOINT_URL_S3": "http://' in (caught.value.hint or "")
