"""Reading objects: types, unknown fields, both encodings."""

import pytest

from headway.localcluster.objects.failures import ApiError
from headway.localcluster.objects.kinds import CONFIG_MAP, POD, SECRET
from headway.localcluster.schema import protobuf
from headway.localcluster.schema.decoding import decode


def test_unknown_fields_are_named_and_dropped() -> None:
    obj, unknown = decode(POD, {"spec": {"foo": 1, "containers": [{"name": "a", "bar": 2, "command": None}]}})
    assert unknown == ["spec.foo", "spec.containers[0].bar"]
    assert obj["spec"] == {"containers": [{"name": "a"}]}
    assert (obj["apiVersion"], obj["kind"]) == ("v1", "Pod")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"spec": {"containers": [{"command": [True]}]}},
            "json: cannot unmarshal bool into Go struct field Container.spec.containers.command of type string",
        ),
        (
            {"spec": {"activeDeadlineSeconds": "5"}},
            "json: cannot unmarshal string into Go struct field PodSpec.spec.activeDeadlineSeconds of type int64",
        ),
        ({"spec": {"containers": [{"resources": {"limits": {"cpu": "1x"}}}]}}, "quantities must match"),
        ({"metadata": {"creationTimestamp": "yesterday"}}, 'parsing time "yesterday"'),
    ],
)
def test_wrong_types_are_refused_in_the_servers_words(body: object, words: str) -> None:
    with pytest.raises(ApiError) as caught:
        decode(POD, body)
    assert caught.value.code == 400
    assert words in caught.value.message


def test_quantities_are_written_canonically() -> None:
    obj, _ = decode(
        POD, {"spec": {"containers": [{"resources": {"limits": {"cpu": 0.5, "memory": "1024Mi"}}}]}}
    )
    assert obj["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "500m", "memory": "1Gi"}


def test_bytes_must_be_base64() -> None:
    with pytest.raises(ApiError, match="illegal base64"):
        decode(SECRET, {"data": {"a": "?"}})
    assert decode(CONFIG_MAP, {"data": {"a": None}})[0]["data"] == {"a": ""}


def packed(field: int, content: bytes) -> bytes:
    return bytes([field << 3 | 2, len(content)]) + content


def test_protobuf_bodies() -> None:
    meta = packed(1, b"s") + packed(8, b"")
    entry = packed(1, b"k") + packed(2, b"v")
    secret = packed(1, meta) + packed(2, entry) + packed(3, b"Opaque")
    envelope = packed(1, packed(1, b"v1") + packed(2, b"Secret")) + packed(2, secret)
    assert protobuf.decode(b"k8s\x00" + envelope, SECRET.schema) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "data": {"k": "dg=="},
        "type": "Opaque",
    }


def test_protobuf_structs_that_go_embeds_stand_in_their_parent() -> None:
    volume = packed(1, b"v") + packed(2, packed(2, b""))
    pod = packed(2, packed(1, volume))
    decoded = protobuf.decode(b"k8s\x00" + packed(2, pod), POD.schema)
    assert decoded["spec"]["volumes"] == [{"name": "v", "emptyDir": {}}]
