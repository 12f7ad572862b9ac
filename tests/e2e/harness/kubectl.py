"""Kubernetes as the tests see it: through kubectl, so that no code of ours stands in between."""

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

Object = dict[str, Any]
T = TypeVar("T")


class Kubectl:
    """kubectl in one namespace.

    Args:
        kubeconfig: Whose rights, and which cluster.
        namespace: Where it looks.
    """

    def __init__(self, kubeconfig: str, namespace: str) -> None:
        self.kubeconfig = kubeconfig
        self.namespace = namespace

    def run(self, *arguments: str, given: str | None = None) -> str:
        """One call; returns what it printed."""
        command = ["kubectl", "--kubeconfig", self.kubeconfig, "--namespace", self.namespace, *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=150)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"
        return done.stdout

    def create(self, body: Mapping[str, Any]) -> None:
        self.run("create", "-f", "-", given=json.dumps(body))

    def objects(self, kinds: str, selector: str = "") -> list[Object]:
        """Every object of these kinds ("pods", "jobs,services") that the label selector takes."""
        chosen = ["--selector", selector] if selector else []
        items: list[Object] = json.loads(self.run("get", kinds, "--output=json", *chosen))["items"]
        return items

    def names(self, kinds: str, selector: str = "") -> list[str]:
        return [item["metadata"]["name"] for item in self.objects(kinds, selector)]


def active(pods: list[Object]) -> list[str]:
    """The names of the pods that have not ended."""
    return [
        pod["metadata"]["name"]
        for pod in pods
        if pod["status"].get("phase", "Pending") in ("Pending", "Running", "Unknown")
    ]


def eventually(seconds: float, what: Callable[[], T], *, pause: float = 0.2) -> T:
    """The first true answer within some seconds, else the last one, for an assertion to judge."""
    until = time.monotonic() + seconds
    while not (answer := what()) and time.monotonic() < until:
        time.sleep(pause)
    return answer
