"""The ways to patch and to apply."""

import pytest

from headway.localcluster.objects.apply import apply
from headway.localcluster.objects.failures import ApiError
from headway.localcluster.objects.kinds import CONFIG_MAP, POD
from headway.localcluster.objects.patches import json_patch, merge_patch, strategic_merge


def containers(*names: str) -> dict[str, object]:
    return {"spec": {"containers": [{"name": name, "image": "i"} for name in names]}}


def test_merge_patch_follows_the_rfc() -> None:
    assert merge_patch({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": None}, "d": [2], "e": {"f": None}}) == {
        "a": {"c": 2},
        "d": [2],
        "e": {},
    }


def test_json_patch_operations() -> None:
    operations = [
        {"op": "test", "path": "/a", "value": [1]},
        {"op": "add", "path": "/a/0", "value": 0},
        {"op": "add", "path": "/a/-", "value": 2},
        {"op": "copy", "from": "/a/1", "path": "/b~1c"},
        {"op": "replace", "path": "/a/2", "value": 9},
        {"op": "move", "from": "/a/0", "path": "/d"},
        {"op": "remove", "path": "/a/0"},
    ]
    assert json_patch({"a": [1]}, operations) == {"a": [9], "b/c": 1, "d": 0}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a", "value": 2},
        {"op": "remove", "path": "/nothing"},
        {"op": "replace", "path": "/nothing", "value": 1},
        {"op": "jump", "path": "/a"},
    ],
)
def test_json_patch_that_cannot_be_carried_out(operation: dict[str, object]) -> None:
    with pytest.raises(ApiError) as caught:
        json_patch({"a": 1}, [operation])
    assert caught.value.code == 422


def test_strategic_merge_joins_lists_by_their_key() -> None:
    patch = {"spec": {"containers": [{"name": "b", "image": "new"}, {"name": "c", "image": "i"}]}}
    merged = strategic_merge(POD.schema, containers("a", "b"), patch)
    assert [(entry["name"], entry["image"]) for entry in merged["spec"]["containers"]] == [
        ("a", "i"),
        ("b", "new"),
        ("c", "i"),
    ]


def test_strategic_merge_directives() -> None:
    patch = {
        "spec": {
            "$setElementOrder/containers": [{"name": "c"}, {"name": "b"}],
            "containers": [{"name": "a", "$patch": "delete"}, {"name": "c", "image": "i"}],
            "nodeSelector": {"$patch": "replace", "x": "y"},
        }
    }
    target = containers("a", "b")
    target["spec"]["nodeSelector"] = {"old": "1"}  # type: ignore[index]
    merged = strategic_merge(POD.schema, target, patch)
    assert [entry["name"] for entry in merged["spec"]["containers"]] == ["c", "b"]
    assert merged["spec"]["nodeSelector"] == {"x": "y"}


def config(**data: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}


def test_apply_takes_away_what_its_manager_no_longer_says() -> None:
    live = apply(CONFIG_MAP, None, config(a="1", b="2"), "me", 0, force=False)
    live["data"]["other"] = "3"
    live = apply(CONFIG_MAP, live, config(b="4"), "me", 0, force=False)
    assert live["data"] == {"b": "4", "other": "3"}
    assert live["metadata"]["managedFields"][0]["fieldsV1"] == {"f:data": {"f:b": {}}}


def test_apply_conflicts_name_manager_and_field() -> None:
    live = apply(CONFIG_MAP, None, config(a="1"), "me", 0, force=False)
    with pytest.raises(ApiError, match=r'conflict with "me" using v1: \.data\.a'):
        apply(CONFIG_MAP, live, config(a="2"), "you", 0, force=False)
    live = apply(CONFIG_MAP, live, config(a="2"), "you", 0, force=True)
    owners = {entry["manager"]: entry["fieldsV1"] for entry in live["metadata"]["managedFields"]}
    assert live["data"] == {"a": "2"}
    assert owners["you"] == {"f:data": {"f:a": {}}}


def test_apply_knows_list_items_by_their_key() -> None:
    live = apply(POD, None, {"metadata": {}, **containers("a", "b")}, "me", 0, force=False)
    live = apply(POD, live, {"metadata": {}, **containers("b")}, "me", 0, force=False)
    assert [entry["name"] for entry in live["spec"]["containers"]] == ["b"]
