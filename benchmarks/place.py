"""Where benchmarks run: a folder, a namespace and a bucket prefix of their own, all gone at the end."""

import asyncio
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from obstore.store import S3Store
from peer import peer
from timing import Ran, process

from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.kinds import NAMESPACE, SECRET
from headway.executors.kubernetes.api.kubeconfig import load_access

T = TypeVar("T")

#: An image with Metaflow's needs in a pod (boto3, requests); without it the peer does not run as pods.
PEER_IMAGE = os.environ.get("HEADWAY_BENCH_PEER_IMAGE")

#: Runs that are read only are made once and kept below this prefix.
_KEPT = "bench-kept"
_SECRET = "object-store"
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def call(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end."""
    return asyncio.run(work)


@dataclass
class Place:
    """A folder for flow files, a namespace, a prefix in the bucket; a context that makes and deletes them.

    Attributes:
        quick: One round, small sizes, Headway alone.
        name: Of the namespace and of the prefix.
        folder: Flow files and local datastores.
    """

    quick: bool = False
    name: str = field(default_factory=lambda: f"headway-bench-{uuid.uuid4().hex[:8]}")
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="headway-bench-")))
    _made: bool = False

    @property
    def bucket(self) -> str | None:
        """The bucket that the environment names."""
        return os.environ.get("HEADWAY_TEST_BUCKET")

    @property
    def has_store(self) -> bool:
        """Whether there is an S3 server to work with."""
        return bool(self.bucket and os.environ.get("AWS_ACCESS_KEY_ID"))

    @property
    def has_cluster(self) -> bool:
        """Whether there is a cluster, and a store that its pods reach."""
        return self.has_store and bool(
            os.environ.get("KUBECONFIG") and os.environ.get("HEADWAY_TEST_CLUSTER")
        )

    @property
    def lacks_store(self) -> str:
        """Why works that need an S3 server cannot be done; empty where they can."""
        return "" if self.has_store else "no S3 server: set HEADWAY_TEST_BUCKET and AWS_…"

    @property
    def lacks_cluster(self) -> str:
        """Why works that need a cluster cannot be done; empty where they can."""
        if self.has_cluster:
            return ""
        return self.lacks_store or "no cluster: set KUBECONFIG and HEADWAY_TEST_CLUSTER=1"

    @property
    def modules(self) -> tuple[str, ...]:
        """Who is compared: the two names under which flow files import."""
        return ("headway",) if self.quick else ("headway", "metaflow")

    @cached_property
    def _interpreters(self) -> dict[str, str]:
        return {"headway": sys.executable} | ({} if self.quick else {"metaflow": str(peer())})

    def __enter__(self) -> "Place":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._made:
            call(self._delete_namespace())
        if self.has_store:
            self.clear(self.name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def home(self, module: str) -> Path:
        """The folder in which a contender's flow files stand."""
        home = self.folder / module
        home.mkdir(parents=True, exist_ok=True)
        return home

    def run(
        self,
        module: str,
        file: str,
        text: str,
        words: tuple[str, ...],
        env: Mapping[str, str] | None = None,
        limit: float = 600.0,
        home: Path | None = None,
    ) -> Ran:
        """Run a flow file, or any other script, with a contender's interpreter.

        Args:
            module: The contender.
            file: The file's name.
            text: The file's text; ``MODULE`` in it stands for the contender.
            words: What is typed behind the file.
            env: Variables beyond the contender's own.
            limit: Seconds it may take.
            home: Where, by default the contender's folder here.
        """
        home = home or self.home(module)
        (home / file).write_text(text.replace("MODULE", module))
        own = {"USER": "bench", "METAFLOW_USER": "bench", "METAFLOW_HOME": str(home)}
        command = [self._interpreters[module], file, *words]
        return process(command, home, {**own, **(env or {})}, limit)

    # --- the store ----------------------------------------------------------------------------

    def root(self, module: str, kept: bool = False) -> str:
        """The contender's datastore root in the bucket."""
        return f"s3://{self.bucket}/{_KEPT if kept else self.name}/{module}"

    def on_s3(self, module: str, kept: bool = False) -> dict[str, str]:
        """The variables with which a contender keeps data in the bucket."""
        variables = {
            "METAFLOW_DEFAULT_DATASTORE": "s3",
            "METAFLOW_DATASTORE_SYSROOT_S3": self.root(module, kept),
            "METAFLOW_DEFAULT_METADATA": "local",
        }
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3")
        return {**variables, "METAFLOW_S3_ENDPOINT_URL": endpoint} if endpoint else variables

    def raw(self, prefix: str) -> S3Store:
        """The bucket below a prefix, for the library that Headway itself uses."""
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or "https://s3.amazonaws.com"
        return S3Store(
            self.bucket,
            prefix=prefix,
            region=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1",
            endpoint=endpoint,
            access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
            secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
            **({"token": os.environ["AWS_SESSION_TOKEN"]} if "AWS_SESSION_TOKEN" in os.environ else {}),
            client_options={"allow_http": endpoint.startswith("http://"), "timeout": "10m"},
        )

    def clear(self, prefix: str) -> None:
        """Delete everything below a prefix."""
        store = self.raw(prefix)
        for page in store.list():
            store.delete([item["path"] for item in page])

    # --- the cluster --------------------------------------------------------------------------

    @cached_property
    def namespace(self) -> str:
        """A namespace of its own, made when it is first asked for, with a secret for the store in it."""
        call(self._make_namespace())
        self._made = True
        return self.name

    def in_pods(self, module: str) -> dict[str, str]:
        """The variables with which a contender's steps run as pods here."""
        if module == "headway":
            return {
                **self.on_s3(module),
                "HEADWAY_KUBERNETES_NAMESPACE": self.namespace,
                "HEADWAY_FORWARD_CREDENTIALS": "1",
            }
        return {
            **self.on_s3(module),
            "METAFLOW_KUBERNETES_NAMESPACE": self.namespace,
            "METAFLOW_KUBERNETES_SECRETS": _SECRET,
            "METAFLOW_KUBERNETES_IMAGE_PULL_POLICY": "IfNotPresent",
            "METAFLOW_KUBERNETES_CONTAINER_IMAGE": PEER_IMAGE or "",
        }

    async def _make_namespace(self) -> None:
        async with KubernetesClient(load_access()) as client:
            metadata = {"name": self.name}
            await client.create(
                NAMESPACE, None, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
            )
            values = {name: os.environ[name] for name in _CREDENTIALS if name in os.environ}
            values["METAFLOW_SKIP_INSTALL_DEPENDENCIES"] = "1"
            values["AWS_DEFAULT_REGION"] = os.environ.get("AWS_DEFAULT_REGION", "us-east-1")
            secret = {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": _SECRET},
                "stringData": values,
            }
            await client.create(SECRET, self.name, secret)

    async def _delete_namespace(self) -> None:
        async with KubernetesClient(load_access()) as client:
            await client.delete(NAMESPACE, None, self.name)
