"""What the tests of the embedded cluster speak to it with."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from headway.localcluster import Handle

_PATIENCE = 120.0


@dataclass
class Cluster:
    """A running cluster and a namespace in it."""

    handle: Handle
    namespace: str = "default"
    _context: ssl.SSLContext = field(init=False)

    def __post_init__(self) -> None:
        config = json.loads(self.handle.kubeconfig.read_text())
        authority = config["clusters"][0]["cluster"]["certificate-authority-data"]
        self._context = ssl.create_default_context(cadata=base64.b64decode(authority).decode())
        self.token = config["users"][0]["user"]["token"]
        self.url = config["clusters"][0]["cluster"]["server"]

    def kubectl(self, *words: str, stdin: str | None = None, check: bool = True) -> str:
        """Run kubectl in the namespace; its output."""
        command = ["kubectl", "--namespace", self.namespace, *words]
        env = {**os.environ, "KUBECONFIG": str(self.handle.kubeconfig)}
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=150, env=env, check=False
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: {done.stderr}")
        return done.stdout if check else done.stdout + done.stderr

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        token: str | None = None,
        content: str = "application/json",
    ) -> tuple[int, Any]:
        """One HTTP request; its status and decoded body."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        request.add_header("Authorization", f"Bearer {self.token if token is None else token}")
        request.add_header("Content-Type", content)
        try:
            with urllib.request.urlopen(request, context=self._context, timeout=120) as response:
                return response.status, json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def apply(self, *objects: dict[str, Any]) -> None:
        """Create or update objects."""
        self.kubectl(
            "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        )

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """One object."""
        found: dict[str, Any] = json.loads(self.kubectl("get", kind, name, "-o", "json"))
        return found

    def wait(self, kind: str, name: str, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The object once it meets a condition."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            found = self.get(kind, name)
            if until(found):
                return found
            assert time.monotonic() < deadline, json.dumps(found.get("status"), indent=1)
            time.sleep(0.1)

    def wait_phase(self, name: str, *phases: str) -> dict[str, Any]:
        """A pod once it is in one of these phases."""
        return self.wait("pod", name, lambda pod: pod["status"]["phase"] in phases)


def pod(name: str, *command: str, spec: dict[str, Any] | None = None, **container: Any) -> dict[str, Any]:
    """A pod of one container that is not restarted."""
    main = {"name": "main", "image": "python:3.11", "command": list(command), **container}
    whole = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
        "containers": [main],
        **(spec or {}),
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": whole}


def terminated(found: dict[str, Any]) -> dict[str, Any]:
    """The terminated state of a pod's first container."""
    state: dict[str, Any] = found["status"]["containerStatuses"][0]["state"]["terminated"]
    return state
