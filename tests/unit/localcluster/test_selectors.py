"""Label and field selectors."""

import pytest

from headway.localcluster.objects.failures import ApiError
from headway.localcluster.objects.selectors import field_predicate, label_predicate, spec_selects


def labelled(**labels: str) -> dict[str, object]:
    return {"metadata": {"name": "x", "namespace": "n", "labels": labels}}


@pytest.mark.parametrize(
    ("selector", "labels", "selected"),
    [
        ("a=1", {"a": "1"}, True),
        ("a==1,b=2", {"a": "1"}, False),
        ("a!=1", {}, True),
        ("a!=1", {"a": "1"}, False),
        ("a in (1, 2)", {"a": "2"}, True),
        ("a notin (1,2)", {"a": "2"}, False),
        ("a notin (1,2)", {}, True),
        ("a", {"a": ""}, True),
        ("!a", {"a": ""}, False),
        ("a>3", {"a": "4"}, True),
        ("a in (1,2),b", {"a": "1", "b": "x"}, True),
        ("a=", {"a": ""}, True),
    ],
)
def test_labels(selector: str, labels: dict[str, str], selected: bool) -> None:
    assert label_predicate(selector)(labelled(**labels)) is selected


def test_a_selector_that_cannot_be_read() -> None:
    with pytest.raises(ApiError, match="unable to parse requirement"):
        label_predicate("a in b")


def test_fields() -> None:
    running = {"metadata": {"name": "x", "namespace": "n"}, "spec": {}, "status": {"phase": "Running"}}
    assert field_predicate("pods", "status.phase=Running,metadata.name!=y")(running)
    assert not field_predicate("pods", "spec.nodeName=node-1")(running)
    assert field_predicate("pods", "spec.nodeName=")(running)
    with pytest.raises(ApiError, match=r"field label not supported: spec\.foo"):
        field_predicate("pods", "spec.foo=1")


def test_selectors_in_specs() -> None:
    assert spec_selects({}, {"a": "1"})
    assert not spec_selects(None, {"a": "1"})
    expression = {"matchExpressions": [{"key": "a", "operator": "In", "values": ["1"]}]}
    assert spec_selects(expression, {"a": "1"})
    assert not spec_selects({"matchLabels": {"a": "2"}, **expression}, {"a": "1"})
