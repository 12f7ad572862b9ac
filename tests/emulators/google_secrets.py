"""Google's Secret Manager as a process of its own: it needs Google's library, which the tests' own Python has not."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-not-found,unused-ignore]
from google.cloud.secretmanager_v1.types import (  # type: ignore[import-not-found,unused-ignore]
    AccessSecretVersionRequest,
    AccessSecretVersionResponse,
)


def main(key: str, certificate: str, secrets: str) -> None:
    """Serve, and say on which port, until standard input ends."""

    def access(request: Any, context: Any) -> Any:
        sent = dict(context.invocation_metadata())
        if sent.get("authorization") != "Bearer google-token":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "no token of ours")
        kept = json.loads(Path(secrets).read_text())
        if request.name not in kept:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Secret [{request.name}] not found or has no versions.")
        return AccessSecretVersionResponse(name=request.name, payload={"data": kept[request.name].encode()})

    server = grpc.server(ThreadPoolExecutor(4))
    handler = grpc.unary_unary_rpc_method_handler(
        access,
        request_deserializer=AccessSecretVersionRequest.deserialize,
        response_serializer=AccessSecretVersionResponse.serialize,
    )
    service = "google.cloud.secretmanager.v1.SecretManagerService"
    handlers = grpc.method_handlers_generic_handler(service, {"AccessSecretVersion": handler})
    server.add_generic_rpc_handlers((handlers,))
    pair = (Path(key).read_bytes(), Path(certificate).read_bytes())
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(None)


if __name__ == "__main__":
    main(*sys.argv[1:])
