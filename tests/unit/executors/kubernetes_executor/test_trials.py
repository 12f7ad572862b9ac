"""What is tried, namespace by namespace, of Jobs that get no pod and nobody may read why."""

from typing import Any

from headway.config.resolve import Layer, resolve_kubernetes
from headway.executors.kubernetes.tracked import TrackedJob, attempts_of, tracked_job
from headway.executors.kubernetes.trials import Move, Trials
from headway.store.batch import Batch, Code, TaskSpec


def job(name: str, *, on_trial: bool = False, **said: Any) -> TrackedJob:
    batch = Batch("F", "1", "train", name, Code("path", "f.py", ("__main__", "F")), (TaskSpec("1", 0),))
    settings = resolve_kubernetes("train", overrides=Layer(said, "a test")).settings
    made = tracked_job(batch, settings, attempts_of(batch))
    made.on_trial = on_trial
    return made


def test_one_job_is_tried_and_the_others_follow_where_that_helps() -> None:
    trials, first, second = Trials(), job("a"), job("b")
    assert trials.next(first) is Move.TRY
    assert trials.next(second) is Move.WAIT
    tried = job("a-restricted", on_trial=True, security_profile="restricted")
    assert trials.has_pod(tried) is True
    assert trials.has_pod(tried) is False, "told once"
    assert trials.next(second) is Move.RESTRICT
    assert trials.next(tried) is Move.WAIT


def test_what_did_not_help_is_taken_back_and_not_tried_again() -> None:
    trials = Trials()
    assert trials.next(job("a")) is Move.TRY
    tried = job("a-restricted", on_trial=True, security_profile="restricted")
    assert trials.next(tried) is Move.RELAX
    assert trials.next(job("a-relaxed")) is Move.WAIT
    assert trials.next(job("b")) is Move.WAIT
    assert trials.has_pod(job("b")) is False


def test_a_profile_that_a_person_fixed_stays() -> None:
    trials = Trials()
    for profile in ("default", "restricted"):
        assert trials.next(job("a", security_profile=profile)) is Move.WAIT
    assert trials.next(job("b")) is Move.TRY


def test_a_pod_shows_that_nothing_needs_to_be_tried() -> None:
    trials = Trials()
    assert trials.has_pod(job("a")) is False
    assert trials.next(job("b")) is Move.WAIT
    assert trials.next(job("c", namespace="other")) is Move.TRY


def test_a_pod_that_comes_while_another_job_is_on_trial_ends_the_trial() -> None:
    trials = Trials()
    assert trials.next(job("a")) is Move.TRY
    assert trials.has_pod(job("b")) is False
    tried = job("a-restricted", on_trial=True, security_profile="restricted")
    assert trials.next(tried) is Move.RELAX
