"""Objects as printable rows, the form kubectl asks for."""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from headway.localcluster.api.columns import AGE, COLUMNS, Column
from headway.localcluster.objects.kinds import Kind
from headway.localcluster.objects.meta import Object, name_of

_NAME = Column("Name", lambda obj, _: name_of(obj))
_FORMATS = {"Name": "name"}


def table(
    kind: Kind, objects: list[Object], revision: str, request: web.BaseRequest, *, columns: bool = True
) -> Object:
    """The `Table` of some objects.

    Args:
        kind: Their kind.
        objects: The objects.
        revision: The table's resource version.
        request: Says how much of each object to include.
        columns: Whether to define the columns; a watch does that once.
    """
    shown = (_NAME, *COLUMNS.get(kind.plural, (AGE,)))
    include, now = request.query.get("includeObject", "Metadata"), time.time()
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": revision},
        "columnDefinitions": [_definition(column) for column in shown] if columns else None,
        "rows": [_row(shown, obj, include, now) for obj in objects],
    }


def _row(columns: tuple[Column, ...], obj: Object, include: str, now: float) -> Object:
    row: dict[str, Any] = {"cells": [column.cell(obj, now) for column in columns]}
    if include == "Object":
        row["object"] = obj
    elif include != "None":
        kind = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
        row["object"] = {**kind, "metadata": obj["metadata"]}
    return row


def _definition(column: Column) -> Object:
    form = _FORMATS.get(column.name, "")
    return {
        "name": column.name,
        "type": "string",
        "format": form,
        "description": "",
        "priority": column.priority,
    }
