"""The embedded cluster as a target: started for the suite, with no more packages than a plain image has."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.kubectl import Kubectl, Object
from harness.target import Target, store_of_the_environment
from headway.testing.s3_server import S3Server

_LIMITED = "limited"


@contextmanager
def embedded_cluster(folder: Path) -> Iterator[Target]:
    """A cluster of the suite's own; the object store is the environment's, or one of our own beside it.

    Args:
        folder: Empty; for the cluster's files.
    """
    with _object_store() as (bucket, store):
        # The interpreter under the environment stands in for images: it has none of the launcher's packages.
        python = str(Path(sys.base_prefix) / "bin" / "python3")
        # A suite that is killed stops nothing: the cluster ends by itself then.
        _cluster(folder, "start", "--python", python, "--idle-exit", "5")
        try:
            kubeconfig = folder / "kubeconfig"
            account = {"kind": "ServiceAccount", "name": _LIMITED, "namespace": "default"}
            yield Target(
                str(kubeconfig),
                _limited(kubeconfig),
                bucket,
                store,
                limited_subject=account,
                processes=_processes,
            )
        finally:
            _cluster(folder, "stop")


@contextmanager
def _object_store() -> Iterator[tuple[str, Mapping[str, str]]]:
    bucket = os.environ.get("HEADWAY_TEST_BUCKET")
    if bucket:
        yield bucket, store_of_the_environment()
        return
    with S3Server() as server:
        yield server.bucket, server.environ


def _cluster(folder: Path, *words: str) -> None:
    command = [str(Path(sys.executable).with_name("headway")), "cluster", "--state", str(folder), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=150)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"


def _limited(administrator: Path) -> str:
    """The kubeconfig of an account that was given no rights."""
    kubectl = Kubectl(str(administrator), "default")
    kubectl.run("create", "serviceaccount", _LIMITED)
    config = json.loads(administrator.read_text())
    config["users"][0]["user"] = {"token": kubectl.run("create", "token", _LIMITED).strip()}
    path = administrator.with_name(f"{_LIMITED}.kubeconfig")
    path.write_text(json.dumps(config))
    return str(path)


def _processes(pod: Object) -> list[int]:
    """The processes that carry the name that this pod gives its container's machine."""
    mark = f"HOSTNAME={pod['metadata']['name'][:63]}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
    assert found, f"no process of {pod['metadata']['name']} on this machine"
    return found
