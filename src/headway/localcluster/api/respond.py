"""Turning answers into HTTP responses and bodies into values."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from headway.localcluster.objects.failures import ApiError, bad_request
from headway.localcluster.objects.meta import encode
from headway.localcluster.schema import protobuf

_TABLE = "as=Table"


def answer(body: object, status: int = 200, warnings: list[str] | None = None) -> web.Response:
    """A JSON response, with `Warning` headers as clients print them."""
    response = web.Response(body=encode(body), status=status, content_type="application/json")
    for warning in warnings or ():
        escaped = warning.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{escaped}"')
    return response


def refusal(error: ApiError) -> web.Response:
    """The response of a refused request."""
    response = answer(error.status(), error.code)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def wants_table(request: web.BaseRequest) -> bool:
    """Whether the client asked for printable rows, as kubectl does."""
    return _TABLE in request.headers.get("Accept", "")


async def body_of(request: web.BaseRequest, definition: str = "") -> Any:
    """The decoded body; None where there is none.

    Args:
        request: The request.
        definition: What a protobuf body holds: kubectl's typed commands send such bodies. Without it a
            protobuf body counts as none.

    Raises:
        ApiError: 400 or 415, it cannot be read.
    """
    raw = await request.read()
    if not raw:
        return None
    content = request.headers.get("Content-Type", "")
    if "cbor" in content:
        message = (
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json, application/yaml"
        )
        raise ApiError(415, "UnsupportedMediaType", message)
    try:
        if "protobuf" in content:
            return protobuf.decode(raw, definition) if definition else None
        return _from_yaml(raw) if "yaml" in content else msgspec.json.decode(raw)
    except (ValueError, UnicodeDecodeError) as error:
        raise bad_request(f"couldn't get version/kind; json parse error: {error}") from error


def _from_yaml(raw: bytes) -> Any:
    # Few requests are YAML, and the library is slow to load.
    import yaml

    try:
        return yaml.safe_load(raw)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def flag(request: web.BaseRequest, name: str) -> bool:
    """A boolean query parameter."""
    return request.query.get(name, "").lower() in ("1", "true", "t")


def number(request: web.BaseRequest, name: str) -> int | None:
    """A numeric query parameter.

    Raises:
        ApiError: 400, it is not a number.
    """
    text = request.query.get(name, "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
