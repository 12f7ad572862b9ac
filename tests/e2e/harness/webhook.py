"""An admission webhook on this machine: by their labels it refuses pods, adds containers to them, holds back Jobs."""

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme

from harness.kubectl import Kubectl, Object

#: The label by which a pod chooses what becomes of it.
LABEL = "e2e-webhook"
REFUSAL = "team policy: pods of this kind run on Tuesdays only"

_SLEEPING = ["python", "-c", "import time; time.sleep(3600)"]
_PROXY = {"name": "proxy", "image": "python:3.11", "command": _SLEEPING}
_PATCHES = {
    "inject": {"op": "add", "path": "/spec/containers/-", "value": _PROXY},
    "suspend": {"op": "add", "path": "/spec/suspend", "value": True},
    # A user of the namespace's own range, as OpenShift gives one.
    "choose-uid": {"op": "add", "path": "/spec/securityContext/runAsUser", "value": 1000680001},
}
#: What OpenShift says of a pod that names a user itself.
_PINNED = (
    "unable to validate against any security context constraint: [provider restricted-v2: .containers[0].runAsUser: "
    "Invalid value: 1000: must be in the ranges: [1000680000, 1000689999]]"
)


class Admission(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        response: Object = {"uid": review["request"]["uid"], "allowed": True}
        if self.path.startswith("/refuse"):
            response |= {"allowed": False, "status": {"message": REFUSAL}}
        if self.path.startswith("/choose-uid") and _names_a_user(review["request"]["object"]):
            response |= {"allowed": False, "status": {"message": _PINNED}}
        patch = next((patch for verb, patch in _PATCHES.items() if self.path.startswith(f"/{verb}")), None)
        if patch and response["allowed"]:
            response |= {
                "patchType": "JSONPatch",
                "patch": base64.b64encode(json.dumps([patch]).encode()).decode(),
            }
        body = json.dumps({**review, "request": None, "response": response}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002


def _names_a_user(pod: Object) -> bool:
    return "runAsUser" in pod["spec"].get("securityContext", {})


@contextmanager
def webhooks(kubectl: Kubectl, session_name: str) -> Iterator[None]:
    """The API server asks about what has the label ``e2e-webhook``: pods to refuse or inject, Jobs to suspend."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), Admission) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        ca = base64.b64encode(authority.cert_pem.bytes()).decode()
        made: list[tuple[str, str]] = []
        try:
            for verb, kind, resource in (
                ("refuse", "ValidatingWebhookConfiguration", "pods"),
                ("inject", "MutatingWebhookConfiguration", "pods"),
                ("choose-uid", "MutatingWebhookConfiguration", "pods"),
                ("suspend", "MutatingWebhookConfiguration", "jobs"),
            ):
                name = f"{session_name}-{verb}"
                hook = {
                    "name": f"{verb}.example.com",
                    "clientConfig": {"url": f"https://127.0.0.1:{server.server_port}/{verb}", "caBundle": ca},
                    **selection({LABEL: verb}, resource),
                }
                about = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind}
                kubectl.create({**about, "metadata": {"name": name}, "webhooks": [hook]})
                made.append((kind, name))
            yield
        finally:
            for kind, name in made:
                kubectl.run("delete", kind, name)
            server.shutdown()
            thread.join()


def selection(labels: Object, resource: str = "pods") -> Object:
    """The rest of a webhook's definition: it is asked about new pods, or Jobs, with these labels."""
    groups = {"pods": "", "jobs": "batch"}
    rule = {
        "apiGroups": [groups[resource]],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": [resource],
    }
    return {
        "rules": [rule],
        "objectSelector": {"matchLabels": labels},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 5,
    }
