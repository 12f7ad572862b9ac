"""Puts the cluster together and runs it: the only place where its parts meet."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import secrets
import signal
import socket
import ssl
import sys
import time
from dataclasses import replace
from typing import Any

from aiohttp import web

from headway.localcluster import nodes
from headway.localcluster.admission.registry import Registry
from headway.localcluster.api.authorization import Authorizer
from headway.localcluster.api.exec import Executor
from headway.localcluster.api.identity import Tokens
from headway.localcluster.api.logs import LogReader
from headway.localcluster.api.reading import Reader
from headway.localcluster.api.server import ApiServer
from headway.localcluster.api.watching import Watcher
from headway.localcluster.api.writing import Writer
from headway.localcluster.certificates import kubeconfig
from headway.localcluster.containers.client import ContainerRuntime
from headway.localcluster.containers.spec import Isolation
from headway.localcluster.controllers.garbage import GarbageCollector
from headway.localcluster.controllers.jobs import JobController
from headway.localcluster.controllers.namespaces import ClaimController, NamespaceController
from headway.localcluster.disruption import collect_pods_of_lost_node, disrupt, mark_unreachable
from headway.localcluster.events import Recorder
from headway.localcluster.faults import Faults
from headway.localcluster.idle import Idleness
from headway.localcluster.keeping import load, save
from headway.localcluster.node.context import NodeContext
from headway.localcluster.node.host import HOST_ADDRESS, Interpreter
from headway.localcluster.node.kubelet import Kubelet
from headway.localcluster.node.logs import LogBook
from headway.localcluster.objects.kinds import (
    CLUSTER_ROLE,
    NAMESPACE,
    NODE,
    POD,
    PRIORITY_CLASS,
    STORAGE_CLASS,
)
from headway.localcluster.objects.store import Store
from headway.localcluster.options import Options
from headway.localcluster.scheduling.scheduler import Scheduler
from headway.localcluster.state import READY, State

_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
_MAX_BODY = 3 * 1024 * 1024
_EVICT_AFTER = 3.0
_LOOK_FOR_IDLENESS = 60.0
#: Seconds between two looks whether there is something new to keep.
_SAVE_EVERY = 2.0
_log = logging.getLogger("headway.localcluster")


def run(
    state: State, options: Options, port: int, control: socket.socket, isolation: Isolation, ready: int
) -> None:
    """Run a cluster until SIGTERM or SIGINT.

    Args:
        state: Its folder.
        options: What was declared.
        port: The port to try first; 0 for any.
        control: The socket to the container supervisor.
        isolation: What the supervisor can do.
        ready: A descriptor that is closed when the API answers.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # Every exception of a request is logged by the server itself; what is left are clients that went away.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    asyncio.run(_Cluster(state, options, control, isolation).serve(port, ready))


class _Cluster:
    """All parts of one cluster."""

    def __init__(self, state: State, options: Options, control: socket.socket, isolation: Isolation) -> None:
        self._state = state
        self._options = options
        self._runtime = ContainerRuntime(control, isolation)
        self._token = secrets.token_urlsafe(32)
        self._registry = Registry(Store(), time.time)
        self._faults = Faults()

    async def serve(self, port: int, ready: int) -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        self._runtime.attach()
        self._state.clear(keep=self._options.keep)
        listener = _listen(port)
        port = listener.getsockname()[1]
        server, kubelet = self._assemble(port, stopping)
        runner = web.ServerRunner(_http_server(server))
        await runner.setup()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._state.certificates / "server.pem")
        await web.SockSite(runner, listener, ssl_context=context).start()
        self._announce(port, ready)
        keeping = asyncio.ensure_future(self._keep()) if self._options.keep else None
        if self._options.idle_exit:
            self._look_for_idleness(server.idleness, stopping)
        await stopping.wait()
        _log.info("stopping")
        if keeping is not None:
            keeping.cancel()
            save(self._registry.store, self._state.objects)
        await kubelet.stop()
        self._runtime.close()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(runner.cleanup(), 1.0)
        self._state.clear(keep=self._options.keep)
        self._state.kubeconfig.unlink(missing_ok=True)

    async def _keep(self) -> None:
        """Save what changed, from time to time: a cluster that is killed loses little."""
        saved = 0
        while True:
            await asyncio.sleep(_SAVE_EVERY)
            store = self._registry.store
            if store.revision != saved:
                saved = store.revision
                save(store, self._state.objects)

    def _look_for_idleness(self, idleness: Idleness, stopping: asyncio.Event) -> None:
        """End the cluster once it is idle for long enough, unless somebody has asked for it meanwhile."""
        limit = self._options.idle_exit
        if self._state.stays.exists():
            return
        if idleness.seconds() >= limit:
            _log.info("idle for %g s", limit)
            stopping.set()
            return
        pause = min(limit / 4, _LOOK_FOR_IDLENESS)
        asyncio.get_running_loop().call_later(pause, self._look_for_idleness, idleness, stopping)

    def _interpreter(self) -> Interpreter:
        """The one that was asked for; else the cluster's own, unless a pod names its launcher's."""
        chosen, places = self._options.python, self._state.scratch / "bin"
        found = Interpreter.prepare(chosen or sys.executable, places)
        return found if chosen else replace(found, yields=places)

    def _assemble(self, port: int, stopping: asyncio.Event) -> tuple[ApiServer, Kubelet]:
        registry, store = self._registry, self._registry.store
        tokens, logs = Tokens(self._token), LogBook(self._state.scratch / "logs")
        context = NodeContext(
            registry=registry,
            runtime=self._runtime,
            logs=logs,
            faults=self._faults,
            tokens=tokens,
            interpreter=self._interpreter(),
            events=Recorder(registry, "kubelet", "node-1"),
            pods=self._state.scratch / "pods",
            claims=self._state.claims,
            api_port=port,
        )
        authority = (self._state.certificates / "ca.pem").read_text()
        kubelet = Kubelet(context)
        NamespaceController(registry, authority).begin()
        ClaimController(registry).begin()
        GarbageCollector(registry).begin()
        JobController(registry, Recorder(registry, "job-controller")).begin()
        Scheduler(registry, Recorder(registry, "default-scheduler")).begin()
        kubelet.begin()
        self._furnish()
        if self._options.keep:
            load(store, self._state.objects, time.time())
        watcher = Watcher(store, stopping)
        self._faults.actions.update(self._fault_actions(kubelet, watcher))
        server = ApiServer(
            registry=registry,
            tokens=tokens,
            faults=self._faults,
            reader=Reader(store),
            writer=Writer(registry),
            watcher=watcher,
            authorizer=Authorizer(store),
            logs=LogReader(store, logs),
            executor=Executor(store, kubelet, self._runtime),
            idleness=Idleness(time.monotonic, kubelet.works),
        )
        return server, kubelet

    def _furnish(self) -> None:
        """What every cluster begins with."""
        for name in _NAMESPACES:
            self._registry.create(
                NAMESPACE, "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            )
        storage: dict[str, Any] = {
            "apiVersion": STORAGE_CLASS.api_version,
            "kind": STORAGE_CLASS.name,
            "metadata": {
                "name": "standard",
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": "headway.local/folder",
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "Immediate",
        }
        self._registry.create(STORAGE_CLASS, "", storage)
        for name, value in (("system-cluster-critical", 2000000000), ("system-node-critical", 2000001000)):
            critical: dict[str, Any] = {
                "apiVersion": PRIORITY_CLASS.api_version,
                "kind": PRIORITY_CLASS.name,
                "metadata": {"name": name},
                "value": value,
                "preemptionPolicy": "PreemptLowerPriority",
            }
            self._registry.create(PRIORITY_CLASS, "", critical)
        for name, verbs in (("cluster-admin", ["*"]), ("edit", ["*"]), ("view", ["get", "list", "watch"])):
            role: dict[str, Any] = {
                "apiVersion": CLUSTER_ROLE.api_version,
                "kind": CLUSTER_ROLE.name,
                "metadata": {"name": name},
                "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": verbs}],
            }
            self._registry.create(CLUSTER_ROLE, "", role)
        for name in nodes.node_names(self._options):
            nodes.register(self._registry, self._options, name)

    def _announce(self, port: int, ready: int) -> None:
        state = self._state
        state.write_private(state.kubeconfig, kubeconfig(state.certificates, port, self._token))
        isolation = self._runtime.isolation
        state.write_record(
            {
                "pid": os.getpid(),
                "port": port,
                "options": self._options.dump(),
                "mounts": isolation.mounts,
                "reason": isolation.reason,
            }
        )
        gc.collect()
        # What exists now stays: the collector need not look at it again.
        gc.freeze()
        gc.enable()
        _log.info("ready on port %d, isolation: %s", port, isolation)
        os.write(ready, READY)
        os.close(ready)

    def _fault_actions(self, kubelet: Kubelet, watcher: Watcher) -> dict[str, Any]:
        registry = self._registry
        loop = asyncio.get_running_loop()

        def kill_node(spec: dict[str, Any]) -> None:
            name = str(spec["node"])
            registry.store.get(NODE, "", name)  # one that is not there is refused
            kubelet.lose_node(name)
            mark_unreachable(registry, name)
            loop.call_later(float(spec.get("after", _EVICT_AFTER)), collect_pods_of_lost_node, registry, name)

        def start_node(spec: dict[str, Any]) -> None:
            nodes.register(registry, self._options, str(spec["node"]))

        def preempt(spec: dict[str, Any]) -> None:
            pod = registry.store.get(POD, str(spec.get("namespace", "default")), str(spec["pod"]))
            words = "default-scheduler: preempting to accommodate a higher priority pod"
            disrupt(registry, pod, "PreemptionByScheduler", words)

        def freeze(spec: dict[str, Any]) -> None:
            watcher.frozen_until = loop.time() + float(spec["seconds"])

        return {
            "KillNode": kill_node,
            "StartNode": start_node,
            "PreemptPod": preempt,
            "Compact": lambda _: registry.store.forget_history(),
            "DropWatches": lambda _: watcher.drop_all(),
            "FreezeWatches": freeze,
        }


def _listen(port: int) -> socket.socket:
    """A listening socket on loopback, on this port if it is free."""
    for candidate in (port, 0):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST_ADDRESS, candidate))
        except OSError:
            listener.close()
            continue
        listener.listen(256)
        listener.setblocking(False)
        return listener
    raise OSError("no port is free on loopback")


def _http_server(server: ApiServer) -> web.Server:
    def request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        loop = asyncio.get_running_loop()
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=_MAX_BODY)

    return web.Server(server.handle, request_factory=request, handler_cancellation=True, access_log=None)
