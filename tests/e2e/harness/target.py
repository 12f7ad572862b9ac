"""What the suite knows of the cluster that it runs on."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from harness.kubectl import Object

#: Where the kernel keeps the processes of each container: version 2 of the hierarchy, then version 1.
_HIERARCHIES = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup/pids"))

#: Variables that say how to reach the object store.
STORE_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_CA_BUNDLE",
)


@dataclass(frozen=True)
class Target:
    """One cluster and the object store beside it.

    Attributes:
        kubeconfig: The administrator's.
        limited_kubeconfig: That of a person with no rights at all, "" where there is none.
        limited_subject: That person, as role bindings name them.
        bucket: The bucket that its pods reach.
        store: Variables with which launcher and pods reach the object store.
        node_label: A label that its nodes carry.
        processes: The processes of a pod's one container, as this machine numbers them.
    """

    kubeconfig: str
    limited_kubeconfig: str
    bucket: str
    store: Mapping[str, str] = field(default_factory=dict)
    node_label: str = "kubernetes.io/os=linux"
    limited_subject: Mapping[str, str] = field(default_factory=lambda: {"kind": "User", "name": "limited"})
    processes: Callable[[Object], list[int]] = lambda _: []

    @property
    def host(self) -> str:
        """This machine's address, as pods reach it: the object store's."""
        url = self.store.get("AWS_ENDPOINT_URL_S3") or self.store.get("AWS_ENDPOINT_URL") or ""
        return urlsplit(url).hostname or "127.0.0.1"

    def as_limited(self) -> "Target":
        """The same cluster for the person with no rights but those that a test gives."""
        assert self.limited_kubeconfig, "HEADWAY_TEST_LIMITED_KUBECONFIG names no kubeconfig"
        return replace(self, kubeconfig=self.limited_kubeconfig)

    @property
    def credentials(self) -> dict[str, str]:
        """What a pod needs to be let into the object store."""
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        return {name: self.store[name] for name in names if name in self.store}


def store_of_the_environment() -> dict[str, str]:
    """How to reach the object store that the environment names."""
    return {name: os.environ[name] for name in STORE_VARIABLES if os.environ.get(name)}


@contextmanager
def real_cluster(_: Path) -> Iterator[Target]:
    """The cluster that KUBECONFIG names, its one node this machine."""
    yield Target(
        kubeconfig=os.environ["KUBECONFIG"],
        limited_kubeconfig=os.environ.get("HEADWAY_TEST_LIMITED_KUBECONFIG", ""),
        bucket=os.environ["HEADWAY_TEST_BUCKET"],
        store=store_of_the_environment(),
        processes=processes_by_cgroup,
    )


def processes_by_cgroup(pod: Object) -> list[int]:
    """The processes of a pod's container, from the control group that the node gave it."""
    container = pod["status"]["containerStatuses"][0]["containerID"].rpartition("/")[2]
    for hierarchy in _HIERARCHIES:
        # Without systemd the group is called as the container, with it cri-containerd-<container>.scope.
        for group in (hierarchy / "kubepods").rglob(f"*{container}*"):
            listing = group / "cgroup.procs"
            if listing.exists():
                return [int(line) for line in listing.read_text().split()]
    raise AssertionError(f"no control group of container {container} on this machine")
