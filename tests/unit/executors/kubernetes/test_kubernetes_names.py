"""Names are what Kubernetes takes, whatever flow, step and claim are called, and none stands for two."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from headway.executors.kubernetes.names import container_name, job_name, runtime_config_map_name, volume_name

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
DNS_LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")

WORDS = st.text("aZ0_-.é流", max_size=80)


def test_a_name_begins_with_flow_and_step() -> None:
    name = job_name("MyFlow", "train_it", "1732200000000000", "b1")
    assert re.fullmatch(r"myflow-train-it-[a-z2-7]{10}", name)
    assert name == job_name("MyFlow", "train_it", "1732200000000000", "b1")


def test_run_and_batch_alone_make_another_name() -> None:
    names = {job_name("F", "s", run, batch) for run in ("1", "2") for batch in ("1", "2")}
    assert len(names) == 4


def test_what_is_cut_still_tells_step_and_flow() -> None:
    both = job_name("F" * 60, "s" * 60, "1", "b")
    assert re.fullmatch(r"f{19}-s{20}-.{10}", both)
    assert job_name("F" * 60, "start", "1", "b").startswith("f" * 34 + "-start-")
    assert job_name("MyFlow", "s" * 60, "1", "b").startswith("myflow-" + "s" * 33 + "-")
    assert job_name("F" * 60, "s" * 60 + "x", "1", "b") != both
    assert re.fullmatch(r"team-a-f{16}-s{16}-.{10}", job_name("F" * 60, "s" * 60, "1", "b", "team-a"))


@settings(max_examples=100, deadline=None)
@given(flow=WORDS, step=WORDS, run=WORDS, batch=WORDS, prefix=st.sampled_from(["", "a", "t" * 20]))
def test_the_names_of_a_jobs_pods_are_labels(flow: str, step: str, run: str, batch: str, prefix: str) -> None:
    name = job_name(flow, step, run, batch, prefix)
    assert name.startswith(prefix)
    assert DNS_LABEL_1035.fullmatch(name)
    assert len(f"{name}-99999-abcde") <= 63


@settings(max_examples=100, deadline=None)
@given(text=WORDS)
def test_containers_and_volumes_have_labels_for_names(text: str) -> None:
    for name in (container_name(text), volume_name(text)):
        assert DNS_LABEL.fullmatch(name)
        assert len(name) <= 63


def test_a_container_is_named_after_its_step() -> None:
    assert container_name("train_it") == "train-it"
    assert container_name("___") == "step"
    assert container_name("a" * 70) != container_name("a" * 71)


def test_claims_that_differ_give_volumes_that_differ() -> None:
    assert volume_name("data-pvc") == "data-pvc"
    assert len({volume_name(claim) for claim in ("a-b", "a.b", "a" * 70, "a" * 71)}) == 4


def test_the_runtime_is_named_by_its_content() -> None:
    assert runtime_config_map_name("0123456789abcdef" * 4) == "headway-runtime-0123456789abcdef"
