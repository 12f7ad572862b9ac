"""A person's folder, variables and share of the cluster, for one test: flows are written, started and read here."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.bucket import Bucket
from harness.kubectl import Kubectl, Object, active, eventually
from harness.launch import PATIENCE, Launch, Result
from harness.reading import RunView, read_run
from harness.target import Target

FLOWS = Path(__file__).parents[1] / "flows"

#: The label by which a test finds its own objects.
OWNER = "headway-e2e"

#: What a pod of these tests asks for, so that a small node runs many side by side.
SMALL = {"HEADWAY_KUBERNETES_CPU": "0.02", "HEADWAY_KUBERNETES_MEMORY": "64", "HEADWAY_KUBERNETES_DISK": "50"}

#: Seconds within which a pod that was told to stop is gone: the 30 that it is promised, and what a busy
#: node takes to notice.
GRACE = 45.0

Variables = Mapping[str, str | None]


def still_active(kubectl: Kubectl, selector: str, seconds: float = GRACE) -> list[str]:
    """The pods that have not ended within some seconds."""
    remaining: list[str] = []

    def none_left() -> bool:
        remaining[:] = active(kubectl.objects("pods", selector))
        return not remaining

    eventually(seconds, none_left)
    return remaining


def unowned(kubectl: Kubectl, selector: str) -> list[str]:
    """The Jobs that nobody will ever clear away."""
    return [
        job["metadata"]["name"]
        for job in kubectl.objects("jobs", selector)
        if job["spec"].get("ttlSecondsAfterFinished") is None and not job["metadata"].get("ownerReferences")
    ]


class Workspace:
    """Where one test works.

    Args:
        folder: An empty folder.
        target: The cluster.
        kubectl: The suite's namespace there.
        bucket: The test's own part of the object store.
        secret: The secret that lets pods into the object store.
        name: Unique to the test, a label value.
    """

    def __init__(
        self, folder: Path, target: Target, kubectl: Kubectl, bucket: Bucket, secret: str, name: str
    ) -> None:
        self.folder = folder
        self.target = target
        self.kubectl = kubectl
        self.bucket = bucket
        self.environ = {
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder / "home"),
            "LANG": "C.UTF-8",
            # Another checkout of the product can be tested by putting it on the path.
            **({"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}),
            "KUBECONFIG": target.kubeconfig,
            **target.store,
            "HEADWAY_USER": "e2e",
            # The cluster under test, or none: nothing may start one of its own.
            "HEADWAY_EMBEDDED_CLUSTER": "never",
            "HEADWAY_DATASTORE_SYSROOT_S3": f"s3://{bucket.name}/{bucket.prefix}",
            "HEADWAY_KUBERNETES_NAMESPACE": kubectl.namespace,
            "HEADWAY_KUBERNETES_SECRETS": secret,
            "HEADWAY_KUBERNETES_LABELS": f"{OWNER}={name}",
            **SMALL,
        }
        self.secret = secret
        self.selector = f"{OWNER}={name}"
        self._launches: list[Launch] = []
        (folder / "home").mkdir()

    # Starting flows.

    def start(
        self, flow: str, *arguments: str, env: Variables | None = None, folder: Path | None = None
    ) -> Launch:
        """Start a flow and come back at once.

        Args:
            flow: The name of a file in ``tests/e2e/flows``, or a flow's source.
            arguments: What is typed behind the file's name.
            env: Variables that differ; None takes one away.
            folder: Another folder to start it in.
        """
        return self.start_command(
            [sys.executable, self.flow_file(flow, folder).name, *arguments], env, folder
        )

    def start_command(
        self, command: Sequence[str], env: Variables | None = None, folder: Path | None = None
    ) -> Launch:
        """Start any command with the test's variables, and come back at once."""
        launch = Launch(command, folder or self.folder, self.variables(env))
        self._launches.append(launch)
        return launch

    def run_flow(
        self, flow: str, *arguments: str, env: Variables | None = None, patience: float = PATIENCE
    ) -> Result:
        """Start a flow and wait for its end."""
        return self.start(flow, *arguments, env=env).wait(patience)

    def flow_file(self, flow: str, folder: Path | None = None) -> Path:
        """Put a flow's file into the folder."""
        folder = folder or self.folder
        if "\n" in flow:
            path = folder / "flow.py"
            path.write_text(flow)
            return path
        return Path(shutil.copy(FLOWS / flow, folder / flow))

    def variables(self, env: Variables | None = None) -> dict[str, str]:
        """The test's variables, with some that differ."""
        merged = {**self.environ, **(env or {})}
        return {name: value for name, value in merged.items() if value is not None}

    # What there is afterwards.

    def read(self, flow: str, run: Result | str = "latest", env: Variables | None = None) -> RunView:
        """A run through the public client, by its id or the launcher that started it."""
        run_id = run if isinstance(run, str) else run.run_id
        return read_run(flow, run_id, self.folder, self.variables(env))

    def pods(self, selector: str = "") -> list[Object]:
        """This test's pods; further labels narrow them down."""
        return self.kubectl.objects("pods", ",".join(filter(None, (self.selector, selector))))

    def jobs(self) -> list[Object]:
        return self.kubectl.objects("jobs", self.selector)

    def still_active(self, seconds: float = GRACE) -> list[str]:
        """The pods of this test that have not ended within some seconds."""
        return still_active(self.kubectl, self.selector, seconds)

    def unowned(self) -> list[str]:
        """Jobs of this test that nobody will ever clear away."""
        return unowned(self.kubectl, self.selector)

    def close(self) -> None:
        """End what a test that did not get to its end left running."""
        running = [launch for launch in self._launches if launch.running]
        for launch in running:
            launch.kill()
            launch.wait()
        if running:
            self.kubectl.run("delete", "jobs", "--selector", self.selector, "--wait=false")


#: Makes a workspace for somebody, in a namespace; and makes a namespace, from the end of its name and its labels.
WorkspaceIn = Callable[[Target, Kubectl], Workspace]
NewNamespace = Callable[..., Kubectl]


class Workspaces:
    """Makes workspaces, and knows whether they leave anything behind.

    Args:
        make: Makes one.
        kubectl: The suite's namespace.
    """

    def __init__(self, make: Callable[[], Workspace], kubectl: Kubectl) -> None:
        self._make = make
        self._kubectl = kubectl
        self._made: list[Workspace] = []

    def __call__(self) -> Workspace:
        """An empty workspace."""
        self._made.append(self._make())
        return self._made[-1]

    def close(self) -> None:
        """None of them may leave a pod running, or a Job that nobody clears away."""
        if not self._made:
            return
        for workspace in self._made:
            workspace.close()
        names = ",".join(workspace.selector.partition("=")[2] for workspace in self._made)
        selector = f"{OWNER} in ({names})"
        active, astray = still_active(self._kubectl, selector), unowned(self._kubectl, selector)
        if active or astray:
            self._kubectl.run("delete", "jobs", "--selector", selector, "--wait=false")
        assert not active, f"left running: {active}"
        assert not astray, f"left for ever: {astray}"
