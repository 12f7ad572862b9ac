"""What tests of a real API server make there, and wait for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from headway.executors.kubernetes.api.errors import (
    ApiError,
)

T = TypeVar("T")

#: For tests that a frozen server would hang.
PATIENCE = 60.0


def config_map(name: str = "cm", **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}, "data": {"k": "v"}}


def pod(name: str, *command: str) -> dict[str, Any]:
    container = {
        "name": "main",
        "image": "python:3.11",
        "imagePullPolicy": "IfNotPresent",
        "command": list(command),
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}},
    }
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container]}
    return {"metadata": {"name": name}, "spec": spec}


def job(name: str, **spec: Any) -> dict[str, Any]:
    template = {"spec": pod("ignored", "true")["spec"]}
    return {"metadata": {"name": name, "labels": {"run": "1"}}, "spec": {"template": template, **spec}}


async def run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    if process.returncode != 0:
        raise LookupError(err.decode())
    return out.decode()


async def eventually(attempt: Callable[[], Awaitable[T]]) -> T:
    """Try until it works; what a controller makes comes a moment after what it was made for."""
    for _ in range(600):
        try:
            return await attempt()
        except LookupError:
            await asyncio.sleep(0.1)
    return await attempt()


async def failure(attempt: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await attempt
    return caught.value
