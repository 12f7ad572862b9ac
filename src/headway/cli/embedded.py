"""Uses the embedded cluster where a step wants pods and no cluster is configured."""

import os
from collections.abc import Mapping
from pathlib import Path

from headway.cli.program import Program
from headway.errors import SettingsError
from headway.flow.graph import Graph

AUTO, NEVER, ALWAYS = "auto", "never", "always"

#: Minutes without work after which an embedded cluster that a run started ends by itself.
IDLE_MINUTES = 30.0


def will_use_embedded_cluster(this: Program, graph: Graph) -> bool:
    """Whether a run of this graph would use the embedded cluster; none is started."""
    if not any(node.decorator("kubernetes") for node in graph) or _wanted(this) == NEVER:
        return False
    from headway.localcluster import running  # only for runs with pods

    found = running()
    if found is not None and os.environ.get("KUBECONFIG") == str(found.kubeconfig):
        return True
    return _wanted(this) == ALWAYS or not names_cluster(os.environ, home_folder())


def point_at_running_cluster() -> None:
    """Where nothing names a cluster, look at the embedded one if it runs; none is started."""
    if names_cluster(os.environ, home_folder()):
        return
    from headway.localcluster import running  # only for commands about pods

    found = running()
    if found is not None:
        os.environ["KUBECONFIG"] = str(found.kubeconfig)


def use_embedded_cluster(this: Program, graph: Graph) -> bool:
    """Start the embedded cluster if this run needs it, and point this process at it.

    It is used where a step runs as a pod and nothing names a cluster, or where KUBECONFIG names it;
    EMBEDDED_CLUSTER in the configuration says never or always instead. One that is started here ends by itself
    after EMBEDDED_CLUSTER_IDLE_MINUTES without work.

    Returns:
        Whether the run's pods are processes of this machine, which see its folders.
    """
    if not any(node.decorator("kubernetes") for node in graph):
        return False
    wanted = _wanted(this)
    if wanted == NEVER:
        return False
    # A server and its controllers: only for runs that use them.
    from headway.localcluster import Options, running, start

    named = os.environ.get("KUBECONFIG", "")
    found = running()
    if found is not None and named == str(found.kubeconfig):
        return True
    if wanted == AUTO and names_cluster(os.environ, home_folder()):
        return False
    handle = found or start(Options(idle_exit=_idle_exit(this)))
    os.environ["KUBECONFIG"] = str(handle.kubeconfig)
    why = "EMBEDDED_CLUSTER=always" if wanted == ALWAYS else "No cluster is configured"
    this.write(
        f"{why}: pods run as processes of this machine, on the embedded cluster "
        f"(process {handle.pid}; `headway cluster stop` ends it).",
        error=True,
    )
    return True


def names_cluster(environ: Mapping[str, str], home: Path) -> bool:
    """Whether anything names a cluster: KUBECONFIG, being in a pod, or ``~/.kube/config``."""
    if environ.get("KUBECONFIG") or environ.get("KUBERNETES_SERVICE_HOST"):
        return True
    # Of a home that cannot be looked into, Path.exists() would raise.
    return os.path.exists(home / ".kube" / "config")  # noqa: PTH110


def home_folder() -> Path:
    """This person's home; a user without one has ``~``, which is no folder."""
    return Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises where there is none


def _idle_exit(this: Program) -> float:
    """Seconds without work after which a cluster that is started here ends; 0 for never."""
    found = this.configuration.get("EMBEDDED_CLUSTER_IDLE_MINUTES")
    if found is None:
        return 60 * IDLE_MINUTES
    try:
        minutes = float(str(found.value))
    except ValueError:
        minutes = -1.0
    if not 0 <= minutes < float("inf"):
        allowed = "a number of minutes is allowed, 0 for a cluster that stays"
        raise SettingsError("EMBEDDED_CLUSTER_IDLE_MINUTES", found.value, allowed, found.source)
    return 60 * minutes


def _wanted(this: Program) -> str:
    found = this.configuration.get("EMBEDDED_CLUSTER")
    if found is None:
        return AUTO
    text = str(found.value).lower()
    if text not in (AUTO, NEVER, ALWAYS):
        raise SettingsError("EMBEDDED_CLUSTER", found.value, "auto, never or always is allowed", found.source)
    return text
