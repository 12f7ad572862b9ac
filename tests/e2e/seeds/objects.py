"""The objects of a cluster that the documents take for granted, made for the tests and taken away again."""

import base64
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.kubectl import Kubectl

_REGISTRY = json.dumps({"auths": {"myregistry.io": {"auth": base64.b64encode(b"user:pass").decode()}}})


class Objects:
    """What stands in a namespace for snippets to use.

    Args:
        kubectl: The namespace.
    """

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl
        self._made: set[str] = set()
        self._volumes: list[str] = []
        # Volumes are folders of the node, which is this machine where there is one to clean up.
        self._folder = Path("/tmp") / kubectl.namespace

    def ensure(self, needs: Iterable[str]) -> None:
        """Make what is not there yet: "secret NAME", "serviceaccount NAME", "configmap NAME", "claim NAME"."""
        for need in needs:
            if need not in self._made:
                kind, _, name = need.partition(" ")
                {"secret": self._secret, "claim": self._claim}.get(kind, self._plain)(kind, name)
                self._made.add(need)

    def close(self) -> None:
        """Take away what does not go with the namespace."""
        if self._volumes:
            self._kubectl.run("delete", "persistentvolumes", *self._volumes, "--wait=false")
            shutil.rmtree(self._folder, ignore_errors=True)

    def _plain(self, kind: str, name: str) -> None:
        self._kubectl.run("create", kind, name)

    def _secret(self, kind: str, name: str) -> None:
        data = {".dockerconfigjson": _REGISTRY} if name in ("regcred", "gcr-secret") else {"KEY": name}
        form = "kubernetes.io/dockerconfigjson" if ".dockerconfigjson" in data else "Opaque"
        self._create({"kind": "Secret", "metadata": {"name": name}, "type": form, "stringData": data})

    def _claim(self, kind: str, name: str) -> None:
        """A claim bound to a volume of its own: no cluster of the tests has to provide storage."""
        volume = f"{self._kubectl.namespace}-{name}"
        common = {"storageClassName": "", "accessModes": ["ReadWriteMany"]}
        bound = {
            "capacity": {"storage": "1Mi"},
            "hostPath": {"path": str(self._folder / name), "type": "DirectoryOrCreate"},
            "claimRef": {"namespace": self._kubectl.namespace, "name": name},
        }
        claimed = {"volumeName": volume, "resources": {"requests": {"storage": "1Mi"}}}
        self._volumes.append(volume)
        self._create({"kind": "PersistentVolume", "metadata": {"name": volume}, "spec": {**common, **bound}})
        self._create(
            {"kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": {**common, **claimed}}
        )

    def _create(self, body: Mapping[str, Any]) -> None:
        self._kubectl.create({"apiVersion": "v1", **body})
