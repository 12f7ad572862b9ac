"""What the steps of a run say of their cluster comes to one connection, or is refused."""

import re
from decimal import Decimal
from typing import Any

import pytest

from headway.config.connection import AS_CONFIGURED, Connection, connection_of
from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import Layer, resolve_kubernetes
from headway.errors import SettingsError


def steps(*said: dict[str, Any]) -> dict[str, KubernetesSettings]:
    names = ("train", "score", "end")
    return {
        name: resolve_kubernetes(name, decorator=Layer(values, "here")).settings
        for name, values in zip(names, said, strict=False)
    }


@pytest.mark.parametrize(
    ("said", "connection"),
    [
        ([], AS_CONFIGURED),
        ([{}, {"cpu": 2}], AS_CONFIGURED),
        ([{"kubernetes_context": "prod"}, {"kubernetes_context": "prod"}], Connection("prod")),
        ([{"incluster": True}], Connection(incluster=True)),
        ([{"api_request_timeout": 5}, {}, {"api_request_timeout": "2.5"}], Connection(request_timeout=Decimal(5))),
        ([{"max_api_retries": 0}, {"max_api_retries": 4}, {}], Connection(retries=4)),
        ([{"max_api_retries": 0}], Connection(retries=0)),
    ],
)  # fmt: skip
def test_what_steps_say_is_one_connection(said: list[dict[str, Any]], connection: Connection) -> None:
    assert connection_of(steps(*said)) == connection


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            [{"kubernetes_context": "dev"}, {"kubernetes_context": "prod"}],
            "kubernetes_context='prod' is not possible: a run uses one cluster, and step train says .*'dev'.*score",
        ),
        ([{}, {"kubernetes_context": "prod"}], "HEADWAY_KUBERNETES_CONTEXT=…"),
        ([{"incluster": True}, {}], "HEADWAY_KUBERNETES_INCLUSTER=…"),
        ([{"incluster": True, "kubernetes_context": "prod"}], "says incluster too"),
    ],
)
def test_a_run_has_one_cluster(said: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        connection_of(steps(*said))
    message = f"{caught.value.message} {caught.value.hint}"
    assert re.search(words, message), message
