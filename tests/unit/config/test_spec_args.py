"""What ``additional_pod_spec_args`` may say, and what it may not."""

from typing import Any

import pytest

from headway.config.resolve import Layer, resolve_kubernetes
from headway.errors import SettingsError

WHERE = "@kubernetes on step train (flow.py:12)"


def settings(args: Any, **said: Any) -> Any:
    layer = Layer({"additional_pod_spec_args": args, **said}, WHERE)
    return resolve_kubernetes("train", decorator=layer).settings


@pytest.mark.parametrize("key", ["restartPolicy", "restart_policy"])
@pytest.mark.parametrize("value", ["OnFailure", "Always", True])
def test_a_node_starts_no_task_again(key: str, value: object) -> None:
    with pytest.raises(SettingsError) as caught:
        settings({key: value})
    words = str(caught.value)
    assert words.startswith(f"additional_pod_spec_args={{'restartPolicy': {value!r}}} ({WHERE})")
    assert "always Never (step train)" in words
    assert "@retry(times=…)" in words


def test_what_it_is_anyway_may_be_said() -> None:
    assert settings({"restart_policy": "Never"}).additional_pod_spec_args == {"restartPolicy": "Never"}


@pytest.mark.parametrize(
    ("args", "words", "hint"),
    [
        ({"containers": {"name": "x"}}, "containers is a list", "[ and ]"),
        ({"tolerations": "gpu"}, "tolerations is a list", "[ and ]"),
        ({"nodeSelector": ["a"]}, "nodeSelector is a dict", ""),
        ({"nodeNmae": "n1"}, "a pod's spec has no nodeNmae", "Did you mean nodeName?"),
        ({"node_selectors": {"a": "b"}}, "a pod's spec has no nodeSelectors", "Did you mean nodeSelector?"),
        ({"volumes": [{"name": "headway-work", "emptyDir": {}}]}, "this one is taken", ""),
    ],
)
def test_what_would_take_a_pod_apart_is_refused_before_anything_runs(
    args: dict[str, Any], words: str, hint: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(args)
    assert caught.value.field == "additional_pod_spec_args"
    assert words in str(caught.value)
    assert "step train" in str(caught.value)
    assert hint in (caught.value.hint or "")


def test_a_volume_that_is_there_already_is_refused() -> None:
    volume = {"name": "data", "emptyDir": {}}
    with pytest.raises(SettingsError, match="stands for one volume"):
        settings({"volumes": [volume]}, volumes=[volume])
    assert settings({"volumes": [volume, {"emptyDir": {}}]})


@pytest.mark.parametrize(
    "args",
    [
        {"somethingOfTomorrow": {"deep": 1}},
        {"containers": [{"name": "proxy", "image": "envoy:1"}]},
        {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"},
    ],
)
def test_all_else_is_the_api_servers_to_judge(args: dict[str, Any]) -> None:
    assert settings(args).additional_pod_spec_args == args
