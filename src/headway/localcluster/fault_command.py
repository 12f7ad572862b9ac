"""`headway cluster fault …`: makes a running cluster go wrong."""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from headway.errors import HeadwayError
from headway.localcluster.faults import PATH
from headway.localcluster.lifecycle import running

_PATIENCE = 10.0


def add_parser(commands: Any) -> None:
    """Declare the command.

    Args:
        commands: Where `argparse` keeps the commands of `headway cluster`.
    """
    top = commands.add_parser("fault", help="make something go wrong, to see what comes of it")
    faults = top.add_subparsers(dest="fault", required=True, metavar="FAULT")
    one = faults.add_parser("kill-node", help="its processes end without a word; its pods fail")
    one.add_argument("node", help="such as node-1")
    one.add_argument("--after", type=float, default=3.0, help="seconds until the node counts as lost (3)")
    faults.add_parser("start-node", help="a new node of that name").add_argument("node", help="its name")
    one = faults.add_parser("preempt", help="a pod makes room for another")
    one.add_argument("pod", help="its name")
    one.add_argument("-n", "--namespace", default="default", help="where it is (default)")
    one = faults.add_parser("slow-pull", help="images take their time")
    _images(one)
    one.add_argument("--seconds", type=float, default=30.0, help="how much (30)")
    one = faults.add_parser("pull-failure", help="images cannot be pulled: ErrImagePull, ImagePullBackOff")
    _images(one)
    one.add_argument("--message", default="", help="what the registry says")
    one = faults.add_parser("api", help="the API refuses requests, or hangs up")
    one.add_argument(
        "--status", type=int, required=True, help="429, 500, 503, …; 0 breaks the connection off"
    )
    one.add_argument("--method", default="*", help="only these HTTP methods, a pattern")
    one.add_argument("--resource", default="*", help="only these resources (pods, job*), a pattern")
    one.add_argument("--retry-after", type=int, help="the Retry-After that it sends, seconds")
    one.add_argument("--after", action="store_true", help="carry the request out, and lose its answer")
    _count(one)
    faults.add_parser("compact", help="older watches and pages of lists are gone (410)")
    faults.add_parser("drop-watches", help="open watches break off")
    one = faults.add_parser("freeze-watches", help="open watches stay silent")
    one.add_argument("--seconds", type=float, default=10.0, help="for how long (10)")
    faults.add_parser("list", help="what is switched on, one JSON object a line")
    faults.add_parser("clear", help="switch everything off")


def _images(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", nargs="?", default="*", help="only these images, a pattern")
    _count(parser)


def _count(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=int, default=-1, help="how often it hits (always)")


def carry_out(given: argparse.Namespace, folder: Path | None) -> None:
    """Switch a fault on, list them, or clear them.

    Args:
        given: What `add_parser` parsed.
        folder: The cluster's files; None for the usual place.

    Raises:
        HeadwayError: No cluster runs, or it refuses.
    """
    handle = running(folder)
    if handle is None:
        raise HeadwayError("No embedded cluster is running.", "Start one: headway cluster start")
    if given.fault == "list":
        for fault in _ask(handle.kubeconfig, "GET")["faults"]:
            sys.stdout.write(json.dumps(fault) + "\n")
    elif given.fault == "clear":
        _ask(handle.kubeconfig, "DELETE")
    else:
        _ask(handle.kubeconfig, "POST", fault_of(vars(given)))


def fault_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the API is told: `kill-node` as `KillNode`, and the fault's own options that have a value."""
    kind = {"preempt": "PreemptPod"}.get(
        given["fault"], "".join(word.title() for word in given["fault"].split("-"))
    )
    own = {
        name: value
        for name, value in given.items()
        if name not in ("fault", "command", "state") and value is not None
    }
    return {"kind": kind, **own}


def _ask(kubeconfig: Path, method: str, body: Mapping[str, Any] | None = None) -> Any:
    config = json.loads(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    address = urlsplit(cluster["server"])
    connection = http.client.HTTPSConnection(
        address.hostname or "",
        address.port,
        timeout=_PATIENCE,
        context=ssl.create_default_context(cadata=authority),
    )
    try:
        headers = {"Authorization": f"Bearer {user['token']}", "Content-Type": "application/json"}
        connection.request(method, f"/{PATH}", json.dumps(body) if body else None, headers)
        response = connection.getresponse()
        said = json.loads(response.read())
    except OSError as error:
        raise HeadwayError(
            f"The embedded cluster does not answer: {error}", "See: headway cluster status"
        ) from error
    finally:
        connection.close()
    if response.status >= 400:
        raise HeadwayError(f"The embedded cluster refuses the fault: {said.get('message', said)}")
    return said
