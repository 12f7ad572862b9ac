"""The Kubernetes executor over the fake API server: the suite, and what only pods can do."""

from collections.abc import Callable

import pytest
from pod_player import PodPlayer

from headway.store.records import Code
from headway.testing.executor_suite import ExecutorSuite
from headway.testing.fake_kubernetes import FakeKubernetes


@pytest.fixture
def code() -> Code:
    return Code("path", "suite_flow.py", ("__main__", "SuiteFlow"), bundle="0" * 64)


class TestKubernetesExecutor(ExecutorSuite):
    """The suite; pods of the fake cluster are gone the moment they are deleted."""

    heeds_grace = False

    @pytest.fixture
    def left_behind(self, fake: FakeKubernetes, player: PodPlayer) -> Callable[[], list[str]]:
        def names() -> list[str]:
            active = [pod["metadata"]["name"] for pod in fake.pods() if pod["status"]["phase"] == "Running"]
            return active + [job["metadata"]["name"] for job in fake.state.all("jobs")]

        return names
