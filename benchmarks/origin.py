"""What figures are of: the commit, the time at which measuring began, the machine, and what was measured against."""

import hashlib
import os
import platform
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from peer import peer_version
from place import PEER_IMAGE, Place, call

from headway.executors.kubernetes.api.client import KubernetesClient
from headway.executors.kubernetes.api.kubeconfig import load_access

_ROOT = Path(__file__).parents[1]


#: What is measured, and what measures it: a commit that changes nothing of this has the same figures.
_SOURCES = ("src", "compat", "benchmarks/*.py", "requirements")


def code() -> dict[str, str]:
    """The commit, a hash of its sources, and one of what in them is not committed; "" where all is."""
    diff = _git("diff", "HEAD", "--", *_SOURCES)
    diff += _git("ls-files", "--others", "--exclude-standard", "--", *_SOURCES)
    return {
        "commit": _git("rev-parse", "--short=7", "HEAD").strip(),
        "sources": _hash(_git("ls-files", "--stage", "--", *_SOURCES)),
        "diff": _hash(diff) if diff else "",
    }


def origin(place: Place) -> dict[str, object]:
    """All of it, to be asked once, before anything is measured: code may change while that lasts."""
    return {
        "when": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        **code(),
        "machine": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "kernel": platform.release(),
            "cpus": os.cpu_count(),
            "processor": _processor(),
        },
        "against": _against(place),
    }


def _against(place: Place) -> Mapping[str, str]:
    found = {}
    if not place.quick:
        found["metaflow"] = peer_version()
        found["image of metaflow's pods"] = PEER_IMAGE or ""
    if place.has_cluster:
        found["kubernetes"] = call(_kubernetes())
    if place.has_store:
        found["s3"] = _s3()
    return found


async def _kubernetes() -> str:
    async with KubernetesClient(load_access()) as client:
        return (await client.version()).git_version


def _s3() -> str:
    """What the object store calls itself; it says so to anybody, whatever else it says."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or "https://s3.amazonaws.com"
    try:
        with urllib.request.urlopen(endpoint, timeout=10) as answer:
            return answer.headers.get("Server") or "unnamed"
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.headers.get("Server") or "unnamed"
    except OSError:
        return "unnamed"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=_ROOT, capture_output=True, text=True, check=False)
    return done.stdout
