"""The API's own certificate authority."""

from __future__ import annotations

import base64
import fcntl
import json
from pathlib import Path
from typing import TYPE_CHECKING

from headway.errors import HeadwayError

if TYPE_CHECKING:
    import trustme

_NAMES = ("127.0.0.1", "::1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")


def ensure(folder: Path) -> None:
    """Make the authority and the server's certificate unless they are there.

    Raises:
        HeadwayError: The library for it is not installed.
    """
    if (folder / "server.pem").exists():
        return
    try:
        # Only the first start on a machine needs it, and it costs the daemon 10 MB.
        import trustme
    except ImportError as error:
        hint = "Install it: pip install trustme"
        raise HeadwayError(
            "The embedded cluster needs the package trustme for its certificate.", hint
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    with (folder / "lock").open("w") as lock:
        # Of two who start at once, the second finds what the first has made: authority and server belong together.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "server.pem").exists():
            _make(folder, trustme.CA(organization_name="Headway embedded cluster"))


def _make(folder: Path, authority: trustme.CA) -> None:
    server = authority.issue_cert(*_NAMES, common_name="kube-apiserver")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    server.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem.new"))
    (folder / "server.pem.new").chmod(0o600)
    (folder / "server.pem.new").replace(folder / "server.pem")


def kubeconfig(folder: Path, port: int, token: str) -> str:
    """A kubeconfig for this cluster alone; JSON, which every client reads as YAML."""
    authority = base64.b64encode((folder / "ca.pem").read_bytes()).decode()
    name = "headway"
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [
                {
                    "name": name,
                    "cluster": {
                        "server": f"https://127.0.0.1:{port}",
                        "certificate-authority-data": authority,
                    },
                }
            ],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "default"}}],
        },
        indent=2,
    )
