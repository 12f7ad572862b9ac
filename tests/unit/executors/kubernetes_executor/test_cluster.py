"""What is found wrong with a cluster before there is a pod, and in which words."""

import asyncio
import json
from collections.abc import Iterable
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path

import pytest

from headway.config.connection import Connection
from headway.errors import ClusterConfigurationError
from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.errors import Unreachable
from headway.executors.kubernetes.api.kinds import POD
from headway.executors.kubernetes.archive import runtime_archive
from headway.executors.kubernetes.cluster import ENFORCE_LABEL, Prepared, connect
from headway.executors.kubernetes.names import runtime_config_map_name
from headway.executors.kubernetes.runtime_place import RuntimePlace
from headway.testing.fake_kubernetes import FakeKubernetes, Fault


def write_kubeconfig(path: Path, server: str, current: str = "test") -> None:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": current,
        "clusters": [{"name": "test", "cluster": {"server": server}}],
        "users": [{"name": "test", "user": {}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }
    path.write_text(json.dumps(config))


@pytest.fixture
def kubeconfig(fake: FakeKubernetes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "kubeconfig"
    write_kubeconfig(path, fake.server)
    monkeypatch.setenv("KUBECONFIG", str(path))
    return path


async def prepared(namespaces: Iterable[str] = ("default",)) -> Prepared:
    async with AsyncExitStack() as stack:
        return await connect(stack, namespaces)


async def refusal(*namespaces: str) -> ClusterConfigurationError:
    with pytest.raises(ClusterConfigurationError) as caught:
        await prepared(namespaces or ("default",))
    assert caught.value.exit_code == 2
    return caught.value


async def test_the_runtime_is_put_into_every_namespace(fake: FakeKubernetes, kubeconfig: Path) -> None:
    fake.namespace("other")
    found = await prepared(["other", "default"])
    assert found.runtime_config_map == runtime_config_map_name(runtime_archive().sha256)
    maps = list(fake.state.all("configmaps"))
    assert [made["metadata"]["namespace"] for made in maps] == ["default", "other"]
    assert {made["metadata"]["name"] for made in maps} == {found.runtime_config_map}
    assert all(made["immutable"] for made in maps)


async def test_one_that_is_there_already_is_fine(fake: FakeKubernetes, kubeconfig: Path) -> None:
    first = await prepared()
    assert (await prepared()).runtime_config_map == first.runtime_config_map
    assert len(list(fake.state.all("configmaps"))) == 1


@pytest.mark.parametrize("taken", [True, False])
async def test_a_runtime_that_somebody_swept_is_put_back(
    fake: FakeKubernetes, client: KubernetesClient, taken: bool
) -> None:
    """A sweep elsewhere takes away what no Job mounts, and a run may have none for a while."""
    place = RuntimePlace(client, runtime_archive())
    await place.put("default")
    (made,) = fake.state.all("configmaps")
    if taken:
        fake.state.remove("configmaps", "default", place.name)
    fake.deny("get", "configmaps")
    await place.keep("default")
    assert bool(list(fake.state.all("configmaps"))) != taken, "not asked about again so soon"
    await asyncio.sleep(11)
    await place.keep("default")
    (found,) = fake.state.all("configmaps")
    assert found["binaryData"] == made["binaryData"]
    sizes = [len(json.dumps(seen.body)) > 10_000 for seen in fake.seen("create", "configmaps")]
    assert sizes == ([True, False, True] if taken else [True, False]), "what is there is not sent again"


async def test_a_namespace_that_says_it_is_restricted(fake: FakeKubernetes, kubeconfig: Path) -> None:
    space = fake.state.get("namespaces", "", "default")
    assert space is not None
    space["metadata"]["labels"] = {ENFORCE_LABEL: "restricted"}
    fake.state.update("namespaces", space)
    assert (await prepared()).restricted == {"default"}


async def test_a_namespace_that_may_not_be_read_is_not_known_to_be(
    fake: FakeKubernetes, kubeconfig: Path
) -> None:
    fake.deny("get", "namespaces")
    assert (await prepared()).restricted == set()


async def test_a_namespace_that_is_not_there(kubeconfig: Path) -> None:
    error = await refusal("nowhere")
    assert error.message == "The cluster has no namespace nowhere."
    assert "kubectl create namespace nowhere" in str(error.hint)


async def test_what_may_not_be_done_is_named(fake: FakeKubernetes, kubeconfig: Path) -> None:
    fake.deny("create", "jobs")
    fake.deny("watch", "pods")
    error = await refusal()
    assert (
        "You may not do in namespace default what a run needs: create jobs.batch, watch pods."
        in error.message
    )
    assert "HEADWAY_KUBERNETES_NAMESPACE" in str(error.hint)
    assert fake.seen("create", "configmaps") == [], "nothing is left behind"


async def test_the_right_to_lend_credentials_is_asked_for_before_a_run_that_does(
    fake: FakeKubernetes, kubeconfig: Path
) -> None:
    fake.deny("create", "secrets")
    async with AsyncExitStack() as stack:
        await connect(stack, ["default"])
    async with AsyncExitStack() as stack:
        with pytest.raises(ClusterConfigurationError, match="what a run needs: create secrets"):
            await connect(stack, ["default"], lends=True)


async def test_an_old_cluster(
    fake: FakeKubernetes, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headway.executors.kubernetes.cluster.OLDEST", (1, 99))
    error = await refusal()
    assert "The cluster runs Kubernetes v1.36.0; Headway needs 1.99 or later." in error.message


async def test_a_cluster_that_does_not_answer(kubeconfig: Path) -> None:
    write_kubeconfig(kubeconfig, "http://127.0.0.1:1")
    assert "127.0.0.1:1" in (await refusal()).message


async def test_no_kubeconfig_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "missing"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert "missing" in str(await refusal())


async def test_the_settings_say_which_cluster_and_how_long_to_try(
    fake: FakeKubernetes, kubeconfig: Path
) -> None:
    """``kubernetes_context``, ``api_request_timeout`` and ``max_api_retries``."""
    write_kubeconfig(kubeconfig, fake.server, current="elsewhere")
    with pytest.raises(ClusterConfigurationError, match="no context 'elsewhere'"):
        await prepared()
    wanted = Connection("test", request_timeout=Decimal(7), retries=1)
    async with AsyncExitStack() as stack:
        client = (await connect(stack, ["default"], connection=wanted)).client
        assert client.access.context == "test"
        before, begun = len(fake.seen("list", "pods")), asyncio.get_running_loop().time()
        fake.fault(Fault("hang", verb="list", times=1000))
        with pytest.raises(Unreachable, match="no answer within the time limit"):
            await client.list(POD, "default")
        assert len(fake.seen("list", "pods")) == before + 2
        assert 14 <= asyncio.get_running_loop().time() - begun < 16
