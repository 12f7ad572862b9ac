"""Programs of others that speak to clusters: the official Python client, and the Metaflow on PyPI.

They are not among our dependencies. HEADWAY_TEST_METAFLOW_PYTHON names an interpreter that has them:
``uv venv peers && uv pip install -p peers 'metaflow==2.19.*' kubernetes 'boto3>=1.34'``.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from localcluster_harness import Cluster

from headway.localcluster import Options, start, stop

PYTHON = os.environ.get("HEADWAY_TEST_METAFLOW_PYTHON", "")

pytestmark = pytest.mark.skipif(
    not PYTHON, reason="HEADWAY_TEST_METAFLOW_PYTHON names no Python with metaflow, kubernetes and boto3"
)

FLOW = """
from metaflow import FlowSpec, step


class PeerFlow(FlowSpec):
    @step
    def start(self):
        self.items = [1, 2]
        self.next(self.work, foreach="items")

    @step
    def work(self):
        self.square = self.input**2
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(each.square for each in inputs)
        self.next(self.end)

    @step
    def end(self):
        print("total is", self.total)


if __name__ == "__main__":
    PeerFlow()
"""


def test_the_official_client(cluster: Cluster) -> None:
    script = Path(__file__).with_name("official_client.py")
    command = [PYTHON, str(script), str(cluster.handle.kubeconfig), cluster.namespace]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


@pytest.mark.s3
def test_a_flow_of_metaflow(tmp_path: Path) -> None:
    folder, home = tmp_path / "cluster", tmp_path / "home"
    home.mkdir()
    (home / "flow.py").write_text(FLOW)
    root = f"s3://{os.environ['HEADWAY_TEST_BUCKET']}/{tmp_path.name}-{os.getpid()}"
    # Pods have what their image has: here, the interpreter with Metaflow and its S3 client.
    cluster = Cluster(start(Options(python=PYTHON), folder))
    try:
        access = {
            "AWS_ACCESS_KEY_ID": os.environ["AWS_ACCESS_KEY_ID"],
            "AWS_SECRET_ACCESS_KEY": os.environ["AWS_SECRET_ACCESS_KEY"],
            "METAFLOW_SKIP_INSTALL_DEPENDENCIES": "1",
        }
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s3"}, "stringData": access}
        cluster.apply(secret)
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "USERNAME": "peer",
            "KUBECONFIG": str(cluster.handle.kubeconfig),
            **access,
            "METAFLOW_DEFAULT_DATASTORE": "s3",
            "METAFLOW_DATASTORE_SYSROOT_S3": root,
            "METAFLOW_S3_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL_S3"],
            "METAFLOW_KUBERNETES_SECRETS": "s3",
            "METAFLOW_KUBERNETES_CPU": "0.1",
            "METAFLOW_KUBERNETES_MEMORY": "256",
            "METAFLOW_KUBERNETES_DISK": "100",
        }
        command = [PYTHON, "flow.py", "run", "--with", "kubernetes"]
        done = subprocess.run(
            command, cwd=home, env=environ, capture_output=True, text=True, timeout=500, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "total is 5" in done.stdout
        assert len(cluster.kubectl("get", "jobs", "-o", "name").split()) == 5
    finally:
        stop(folder)
        _remove(root)


def _remove(root: str) -> None:
    script = (
        "import boto3, os, sys; bucket, _, prefix = sys.argv[1][5:].partition('/'); "
        "boto3.resource('s3', endpoint_url=os.environ['AWS_ENDPOINT_URL_S3'], region_name='us-east-1')"
        ".Bucket(bucket).objects.filter(Prefix=prefix).delete()"
    )
    subprocess.run([PYTHON, "-c", script, root], check=True)
