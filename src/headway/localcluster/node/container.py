"""One container of a pod: image, configuration, start, end, again."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import Protocol

from headway.localcluster.admission.pod_identity import TOKEN_PATH
from headway.localcluster.containers.client import ContainerFailedError
from headway.localcluster.containers.spec import ContainerSpec, Exit, Mount
from headway.localcluster.node import images
from headway.localcluster.node.context import NodeContext
from headway.localcluster.node.environment import ConfigError, environment, expand
from headway.localcluster.node.host import Interpreter, base_environment
from headway.localcluster.node.hosts import hostname
from headway.localcluster.node.logs import ContainerLog
from headway.localcluster.node.status import ContainerState, waiting
from headway.localcluster.node.volumes import Volumes
from headway.localcluster.objects import quantity
from headway.localcluster.objects.kinds import Kind
from headway.localcluster.objects.meta import Object, name_of, namespace_of, new_uid, timestamp, uid_of

_BACKOFF_FIRST = 10.0
_BACKOFF_MOST = 300.0
_CONFIG_RETRY = 2.0
_MESSAGE_BYTES = 4096
_IMAGE_RETRY_FIRST = 10.0


class _NotStartedError(Exception):
    """The container cannot be started now; `reason` and text say why."""

    def __init__(self, reason: str, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.final = final


class ContainingPod(Protocol):
    """What a container needs of its pod."""

    context: NodeContext
    pod: Object
    folder: Path
    hosts_path: Path
    volumes: Volumes

    def publish(self) -> None: ...

    def lookup(self, kind: Kind, name: str) -> Object | None: ...

    def addresses(self) -> dict[str, str]: ...

    def node_resources(self) -> Object: ...

    def service_variables(self) -> dict[str, str]: ...


class ContainerWorker:
    """Runs one container until it is over for good.

    Args:
        worker: The pod it belongs to.
        state: Its state, which is kept up to date here.
    """

    def __init__(self, worker: ContainingPod, state: ContainerState) -> None:
        self._worker = worker
        self._context = worker.context
        self._pod = worker.pod
        self.state = state
        self._name = ""
        self._ended: asyncio.Future[Exit] | None = None

    async def run(self, policy: str) -> None:
        """Start the container, again and again as the restart policy says; returns when it is over.

        Args:
            policy: `Always`, `OnFailure` or `Never`.
        """
        backoff = 0.0
        while True:
            await self._pull()
            await self._start_and_wait()
            code = self.state.exit_code
            if policy == "Never" or (policy == "OnFailure" and code == 0):
                self.state.finished = True
                self._worker.publish()
                return
            self._worker.publish()
            if backoff:
                where = f"{name_of(self._pod)}_{namespace_of(self._pod)}({uid_of(self._pod)})"
                words = f"Back-off restarting failed container {self.state.name} in pod {where}"
                self._event("BackOff", words, warning=True)
                self.state.last = {"terminated": self.state.state["terminated"]}
                text = f"back-off {int(backoff)}s restarting failed container={self.state.name} pod={where}"
                self.state.state = waiting("CrashLoopBackOff", text)
                self._worker.publish()
                await asyncio.sleep(backoff)
            else:
                self.state.last = {"terminated": self.state.state["terminated"]}
            backoff = min(max(backoff * 2, _BACKOFF_FIRST), _BACKOFF_MOST)
            self.state.restarts += 1

    async def stop(self, grace: float) -> None:
        """End the container: SIGTERM to its first process, SIGKILL to all after the grace period."""
        ended = self._ended
        if ended is None or ended.done():
            return
        self._event("Killing", f"Stopping container {self.state.name}")
        if grace > 0:
            self._context.runtime.signal(self._name, signal.SIGTERM)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.shield(ended), grace)
        if not ended.done():
            self._context.runtime.kill(self._name)
            await asyncio.shield(ended)

    def kill(self) -> None:
        """End the container at once, as the death of its machine would."""
        if self._ended is not None and not self._ended.done():
            self._context.runtime.kill(self._name)

    @property
    def runtime_name(self) -> str:
        """The name of the running container; empty if it does not run."""
        return self._name if self._ended is not None and not self._ended.done() else ""

    async def _pull(self) -> None:
        """Stand in for the image: refuse or delay what a registry would, else say that nothing is pulled."""
        image = self.state.spec["image"]
        if name := images.invalid_name(image):
            self.state.state = waiting("InvalidImageName", name)
            self._event("InspectFailed", name, warning=True)
            self._event("Failed", "Error: InvalidImageName", warning=True)
            self._worker.publish()
            await asyncio.Event().wait()
        delay = _IMAGE_RETRY_FIRST
        while (failure := self._pull_failure(image)) is not None:
            self._event("Pulling", f'Pulling image "{image}"')
            self._event("Failed", f'Failed to pull image "{image}": {failure}', warning=True)
            self._event("Failed", "Error: ErrImagePull", warning=True)
            self.state.state = waiting("ErrImagePull", failure)
            self._worker.publish()
            await asyncio.sleep(1.0)
            self._event("BackOff", f'Back-off pulling image "{image}"')
            self._event("Failed", "Error: ImagePullBackOff", warning=True)
            words = f'Back-off pulling image "{image}": ErrImagePull: {failure}'
            self.state.state = waiting("ImagePullBackOff", words)
            self._worker.publish()
            await asyncio.sleep(delay)
            delay = min(delay * 2, _BACKOFF_MOST)
        slow = self._context.faults.for_image("SlowPull", image)
        if slow is not None:
            self._event("Pulling", f'Pulling image "{image}"')
            await asyncio.sleep(slow.seconds)
        stand_in = self._interpreter.describe()
        self._event(
            "Pulled", f'Image "{image}" is not pulled by this cluster: containers run with {stand_in}'
        )

    def _pull_failure(self, image: str) -> str | None:
        fault = self._context.faults.for_image("PullFailure", image)
        if fault is not None:
            return images.pull_failure(
                image, fault.message or "pull access denied, repository does not exist"
            )
        return images.unreachable(image)

    async def _start_and_wait(self) -> None:
        log: ContainerLog | None = None
        while True:
            try:
                log = await self._start()
                break
            except _NotStartedError as error:
                self._event("Failed", f"Error: {error.message}", warning=True)
                if error.final:
                    self._ended_before_start(error)
                    return
                self.state.state = waiting(error.reason, error.message)
                self._worker.publish()
                await asyncio.sleep(_CONFIG_RETRY)
        assert self._ended is not None
        started = timestamp(self._context.registry.now())
        self.state.state = {"running": {"startedAt": started}}
        self.state.container_id = f"headway://{self._name}"
        self._event("Started", "Container started")
        self._worker.publish()
        end = await asyncio.shield(self._ended)
        await log.close()
        self.state.state = {"terminated": self._terminated(end, started, log)}

    def _ended_before_start(self, error: _NotStartedError) -> None:
        self.state.container_id = f"headway://{self._name}"
        self.state.state = {
            "terminated": {
                "exitCode": 128,
                "reason": error.reason,
                "message": error.message,
                "startedAt": timestamp(0),
                "finishedAt": timestamp(self._context.registry.now()),
                "containerID": self.state.container_id,
            }
        }

    def _terminated(self, end: Exit, started: str, log: ContainerLog) -> Object:
        reason = "OOMKilled" if end.out_of_memory else "Completed" if end.code == 0 else "Error"
        state: Object = {
            "exitCode": end.code,
            "reason": reason,
            "startedAt": started,
            "finishedAt": timestamp(self._context.registry.now()),
            "containerID": self.state.container_id,
        }
        message = self._termination_message(end, log)
        if message:
            state["message"] = message
        return state

    def _termination_message(self, end: Exit, log: ContainerLog) -> str:
        text = self._message_file().read_bytes()[:_MESSAGE_BYTES].decode(errors="replace")
        fall_back = self.state.spec["terminationMessagePolicy"] == "FallbackToLogsOnError"
        if not text and fall_back and end.code != 0:
            return log.last_bytes(2048)
        return text

    def _message_file(self) -> Path:
        return self._worker.folder / f"{self.state.name}.termination"

    async def _start(self) -> ContainerLog:
        self._name = new_uid().replace("-", "")
        spec = self._spec()
        self._event("Created", "Container created")
        log = self._context.logs.begin(uid_of(self._pod), self.state.name)
        try:
            self._ended = await self._context.runtime.run(self._name, spec, log.pipe(), log.pipe())
        except ContainerFailedError as error:
            await log.close()
            if error.stage == "create":
                raise _NotStartedError("CreateContainerError", error.message) from error
            text = (
                "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
                f"runc create failed: unable to start container process: {error.message}"
            )
            raise _NotStartedError("StartError", text, final=True) from error
        return log

    def _spec(self) -> ContainerSpec:
        worker, spec = self._worker, self.state.spec
        try:
            values = environment(self._pod, spec, worker.lookup, worker.addresses(), worker.node_resources())
        except ConfigError as error:
            raise _NotStartedError("CreateContainerConfigError", str(error)) from error
        uid, gid = self._identity()
        home = worker.folder / "home"
        home.mkdir(exist_ok=True)
        own = base_environment(self._interpreter, str(home), hostname(self._pod), self._context.api_port)
        env = {**own, **worker.service_variables(), **values}
        words = [*(spec.get("command") or ()), *(spec.get("args") or ())]
        argv = [expand(word, values) for word in words] or ["python3"]
        staging = worker.folder / "root" / self._name
        staging.mkdir(parents=True)
        memory = (spec["resources"].get("limits") or {}).get("memory")
        return ContainerSpec(
            argv=self._interpreter.command(argv),
            env=env,
            workdir=spec.get("workingDir") or self._default_workdir(),
            hostname=hostname(self._pod),
            staging=str(staging),
            mounts=self._mounts(),
            uid=uid,
            gid=gid,
            memory=quantity.units(memory) if memory is not None else 0,
        )

    @property
    def _interpreter(self) -> Interpreter:
        return self._context.interpreter.for_pod(self._pod["metadata"].get("annotations") or {})

    def _default_workdir(self) -> str:
        if self._context.runtime.isolation.mounts:
            return "/"
        return str(self._worker.folder / "home")

    def _mounts(self) -> list[Mount]:
        message = self._message_file()
        message.write_bytes(b"")
        isolation = self._context.runtime.isolation
        wanted = self._worker.volumes.mounts(self.state.spec)
        if isolation.mounts:
            return [
                Mount(str(self._worker.hosts_path), "/etc/hosts"),
                *wanted,
                Mount(str(message), self.state.spec["terminationMessagePath"]),
            ]
        # The token that admission mounts by itself is the one mount that a container can do without.
        refused = [mount.target for mount in wanted if mount.target != TOKEN_PATH]
        if refused:
            text = (
                f"cannot mount {', '.join(refused)}: this machine does not let an ordinary user mount "
                f"({isolation.reason})"
            )
            raise _NotStartedError("CreateContainerError", text)
        return []

    def _identity(self) -> tuple[int, int]:
        pod = self._pod["spec"].get("securityContext") or {}
        own = self.state.spec.get("securityContext") or {}
        uid = own.get("runAsUser", pod.get("runAsUser"))
        gid = own.get("runAsGroup", pod.get("runAsGroup"))
        if own.get("runAsNonRoot", pod.get("runAsNonRoot")) and not uid:
            full_name = f"{name_of(self._pod)}_{namespace_of(self._pod)}({uid_of(self._pod)})"
            where = f'pod: "{full_name}", container: {self.state.name}'
            if uid == 0:
                text = f"container's runAsUser breaks non-root policy ({where})"
            else:
                text = f"container has runAsNonRoot and image will run as root ({where})"
            raise _NotStartedError("CreateContainerConfigError", text)
        if not uid:
            return -1, -1
        return int(uid), int(gid or 0)

    def _event(self, reason: str, message: str, *, warning: bool = False) -> None:
        path = f"spec.containers{{{self.state.name}}}"
        self._context.events(self._pod, reason, message, warning=warning, path=path)
