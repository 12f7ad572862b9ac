"""Pieces of a pod in any spelling come to the API's own."""

from typing import Any, ClassVar

import pytest

from headway.config.parsing import RefusedError
from headway.config.podparts import api_form, api_object, api_objects, camel_case, security_context


class Capabilities:
    """The shape of a model object of the ``kubernetes`` package."""

    attribute_map: ClassVar[dict[str, str]] = {"add": "add", "drop": "drop"}
    add = None
    drop = ("ALL",)


class SecurityContext:
    attribute_map: ClassVar[dict[str, str]] = {
        "run_as_user": "runAsUser",
        "capabilities": "capabilities",
        "proc_mount": "procMount",
    }
    run_as_user = 1000
    capabilities = Capabilities()
    proc_mount = None


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ("run_as_user", "runAsUser"),
        ("runAsUser", "runAsUser"),
        ("host_ipc", "hostIPC"),
        ("set_hostname_as_fqdn", "setHostnameAsFQDN"),
        ("config_map", "configMap"),
        ("_exec", "exec"),
        ("name", "name"),
    ],
)
def test_spelling(written: str, field: str) -> None:
    assert camel_case(written) == field


def test_models_and_snake_case_at_any_depth() -> None:
    assert api_form(
        {"security_context": SecurityContext(), "init_containers": [{"image_pull_policy": "Always"}]}
    ) == {
        "securityContext": {"runAsUser": 1000, "capabilities": {"drop": ["ALL"]}},
        "initContainers": [{"imagePullPolicy": "Always"}],
    }


def test_the_users_own_words_stay() -> None:
    selector = {"label_selector": {"match_labels": {"my_app": "x"}, "match_expressions": [{"key": "a_b"}]}}
    assert api_form(selector) == {
        "labelSelector": {"matchLabels": {"my_app": "x"}, "matchExpressions": [{"key": "a_b"}]}
    }
    assert api_form({"limits": {"vendor.example/some_device": "1"}}) == {
        "limits": {"vendor.example/some_device": "1"}
    }


def test_nulls_are_left_out() -> None:
    assert api_form({"a": None, "b": {"c": None}}) == {"b": {}}


@pytest.mark.parametrize("written", ["[1]", "{", 1, None, [], {"a": object()}, {"a": [b"x"]}])
def test_what_is_no_object_is_refused(written: Any) -> None:
    with pytest.raises(RefusedError):
        api_object(written)


def test_json_text_is_taken() -> None:
    assert api_object('{"node_affinity": {}}') == {"nodeAffinity": {}}
    assert api_objects("name")('[{"name": "a", "empty_dir": {}}]') == ({"name": "a", "emptyDir": {}},)


@pytest.mark.parametrize("written", [{"name": "a"}, [{"emptyDir": {}}], ["a"], 1, None, "{}"])
def test_what_is_no_list_of_such_objects_is_refused(written: Any) -> None:
    with pytest.raises(RefusedError):
        api_objects("name")(written)


def test_a_security_context_is_not_misspelt_unseen() -> None:
    assert security_context({"run_as_user": 1}) == {"runAsUser": 1}
    with pytest.raises(RefusedError, match="and not runAsUsr"):
        security_context({"run_as_usr": 1})
