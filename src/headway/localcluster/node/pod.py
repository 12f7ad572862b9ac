"""One pod on the node, from its arrival to its end."""

from __future__ import annotations

import asyncio
import contextlib
import shutil

from headway.localcluster.admission.deletion import DeleteOptions
from headway.localcluster.node.container import ContainerWorker
from headway.localcluster.node.context import NodeContext
from headway.localcluster.node.host import HOST_ADDRESS
from headway.localcluster.node.hosts import hosts_file, service_lines
from headway.localcluster.node.status import ContainerState, PodState, phase, pod_status, waiting
from headway.localcluster.node.volumes import VolumeError, Volumes
from headway.localcluster.objects.failures import ApiError
from headway.localcluster.objects.kinds import NODE, POD, SERVICE, Kind
from headway.localcluster.objects.meta import (
    Object,
    name_of,
    namespace_of,
    parse_timestamp,
    timestamp,
    uid_of,
)

_VOLUME_RETRY = (0.5, 8.0)
_DEADLINE = "Pod was active on the node longer than the specified deadline"


class PodWorker:
    """Runs one pod.

    Args:
        context: The node's means.
        pod: The pod, bound to a node of this machine.
    """

    def __init__(self, context: NodeContext, pod: Object) -> None:
        self.context = context
        # A copy of the top level: the metadata is brought up to date, and the store's objects never change.
        self.pod = dict(pod)
        self.folder = context.pods / uid_of(pod)
        self.hosts_path = self.folder / "hosts"
        self._address = context.next_address()
        spec = pod["spec"]
        inits = [
            ContainerState(entry, waiting("PodInitializing")) for entry in spec.get("initContainers") or ()
        ]
        first = "PodInitializing" if inits else "ContainerCreating"
        mains = [ContainerState(entry, waiting(first)) for entry in spec["containers"]]
        self.state = PodState(self.pod, inits, mains, HOST_ADDRESS, timestamp(context.registry.now()))
        self.volumes = Volumes(self.pod, self.folder / "volumes", context.claims, self.lookup, context.tokens)
        self._workers = [ContainerWorker(self, state) for state in (*inits, *mains)]
        self._main: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._silent = False
        self._verdict = ("", "")  # the reason and the words for which it is being stopped

    def start(self) -> None:
        """Begin; everything else happens in tasks."""
        self._main = asyncio.create_task(self._run())

    @property
    def over(self) -> bool:
        """Whether the pod has ended and nothing of it runs."""
        return (
            self._main is not None and self._main.done() and (self._stopping is None or self._stopping.done())
        )

    def stop(self, grace: float, reason: str = "", message: str = "") -> None:
        """End the pod.

        Args:
            grace: Seconds between SIGTERM and SIGKILL; a second call with less wins.
            reason: Why the pod has failed; empty where it is only being deleted.
            message: The words to it.
        """
        if self._stopping is not None and grace > 0:
            return
        if grace <= 0:
            for worker in self._workers:
                worker.kill()
        if self._stopping is None:
            self._verdict = (reason, message)
            self._stopping = asyncio.create_task(self._stop(grace))

    def die(self) -> None:
        """Lose the pod as a machine that is switched off does: no word to the API."""
        self._silent = True
        for worker in self._workers:
            worker.kill()
        if self._main is not None:
            self._main.cancel()

    def container(self, name: str) -> ContainerWorker | None:
        """The worker of a container."""
        return next((worker for worker in self._workers if worker.state.name == name), None)

    def lookup(self, kind: Kind, name: str) -> Object | None:
        """An object of the pod's namespace, or of the cluster."""
        return self.context.registry.store.find(kind, namespace_of(self.pod) if kind.namespaced else "", name)

    def addresses(self) -> dict[str, str]:
        """The addresses that the downward API gives."""
        return {"status.podIP": self._address, "status.hostIP": HOST_ADDRESS}

    def node_resources(self) -> Object:
        """What the pod's node can give, for limits that nobody set."""
        node = self.context.registry.store.find(NODE, "", self.pod["spec"]["nodeName"])
        found: Object = node["status"]["allocatable"] if node else {}
        return found

    def service_variables(self) -> dict[str, str]:
        """The variables that name the services of the namespace."""
        values: dict[str, str] = {}
        if not self.pod["spec"].get("enableServiceLinks", True):
            return values
        for service in self.context.registry.store.objects(SERVICE, namespace_of(self.pod)):
            address, ports = service["spec"].get("clusterIP"), service["spec"].get("ports") or ()
            if address in (None, "None") or not ports:
                continue
            prefix = name_of(service).upper().replace("-", "_")
            values[f"{prefix}_SERVICE_HOST"] = address
            values[f"{prefix}_SERVICE_PORT"] = str(ports[0]["port"])
        return values

    def refresh_hosts(self) -> None:
        """Bring the pod's hosts file up to date; in place, for containers hold the file itself."""
        lines = service_lines(self.context.registry.store, namespace_of(self.pod))
        text = hosts_file(self.pod, self._address, lines)
        if not self.hosts_path.exists() or self.hosts_path.read_text() != text:
            self.hosts_path.write_text(text)

    def publish(self) -> None:
        """Write the pod's status."""
        if self._silent:
            return
        store = self.context.registry.store
        current = store.find(POD, namespace_of(self.pod), name_of(self.pod))
        if current is None or uid_of(current) != uid_of(self.pod):
            return
        if phase(self.state) in ("Succeeded", "Failed"):
            self._judge()  # with the phase, in one write: who waits for it looks at the reason next
        status = pod_status(self.state, current["status"], timestamp(self.context.registry.now()))
        self.context.registry.set_status(POD, current, status)

    async def _run(self) -> None:
        deadline = self._watch_deadline()
        try:
            self.publish()
            await self._prepare()
            self.state.pod_ip = self._address
            self.state.sandbox = True
            if not await self._run_inits():
                self.publish()
                return
            for entry in self.state.mains:
                if self.state.inits:
                    entry.state = waiting("PodInitializing")
            policy = self.pod["spec"]["restartPolicy"]
            mains = self._workers[len(self.state.inits) :]
            await asyncio.gather(*(worker.run(policy) for worker in mains))
        finally:
            if deadline is not None:
                deadline.cancel()

    async def _prepare(self) -> None:
        """Set up volumes and the folder; tries again while something is missing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        delay, most = _VOLUME_RETRY
        while True:
            try:
                self.volumes.set_up(self.addresses())
                break
            except (VolumeError, OSError) as error:
                self.context.events(self.pod, "FailedMount", str(error), warning=True)
            await asyncio.sleep(delay)
            delay = min(delay * 2, most)
        self.refresh_hosts()

    async def _run_inits(self) -> bool:
        policy = "Never" if self.pod["spec"]["restartPolicy"] == "Never" else "OnFailure"
        for worker in self._workers[: len(self.state.inits)]:
            await worker.run(policy)
            if worker.state.exit_code != 0:
                return False
        return True

    def _watch_deadline(self) -> asyncio.Task[None] | None:
        seconds = self.pod["spec"].get("activeDeadlineSeconds")
        if seconds is None:
            return None
        left = parse_timestamp(self.state.started) + seconds - self.context.registry.now()

        async def wait() -> None:
            await asyncio.sleep(max(left, 0))
            self.context.events(self.pod, "DeadlineExceeded", _DEADLINE)
            self.stop(self.pod["spec"]["terminationGracePeriodSeconds"], "DeadlineExceeded", _DEADLINE)

        return asyncio.create_task(wait())

    def _judge(self) -> None:
        """Give the pod the reason for which it was stopped, if it was for one."""
        reason, message = self._verdict
        if reason:
            self.state.failed, self.state.reason, self.state.message = True, reason, message

    async def _stop(self, grace: float) -> None:
        await asyncio.gather(*(worker.stop(grace) for worker in self._workers))
        if self._main is not None:
            # The container's own task still writes its last state; what only waits is cancelled.
            done, _ = await asyncio.wait({self._main}, timeout=0.05)
            if not done:
                self._main.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._main
        self._judge()
        for state in (*self.state.inits, *self.state.mains):
            state.finished = state.finished or "terminated" in state.state
        if phase(self.state) not in ("Succeeded", "Failed") and any(s.finished for s in self.state.mains):
            self.state.failed = True
        self.publish()

    async def settled(self) -> None:
        """Wait until the pod is over, however it ends."""
        for task in (self._main, self._stopping):
            if task is not None:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({task})

    async def remove(self) -> None:
        """Take a deleted pod out of the API once nothing of it runs, and its folder off the disk."""
        await self.settled()
        if not self._silent:
            options = DeleteOptions(grace_period=0, uid=uid_of(self.pod))
            with contextlib.suppress(ApiError):
                self.context.registry.delete(POD, namespace_of(self.pod), name_of(self.pod), options)
        await self.clean()

    async def clean(self) -> None:
        """Remove the pod's folder."""
        await asyncio.get_running_loop().run_in_executor(None, shutil.rmtree, self.folder, True)
