"""Pods that wait for a volume: the claim's events say why, whether or not the scheduler says anything."""

import asyncio

import pytest
from executor_run import Run
from pod_player import PodPlayer

from headway.config.kubernetes import KubernetesSettings
from headway.config.resolve import Layer, resolve_kubernetes
from headway.executors.base import Started
from headway.store.records import AttemptRef
from headway.testing.executor_suite import STEPS


@pytest.fixture
def settings() -> dict[str, KubernetesSettings]:
    of = {"image": "python:3.11", "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]}
    said = Layer({**of, "persistent_volume_claims": {"more": "/more"}}, "a test")
    return {step: resolve_kubernetes(step, overrides=said).settings for step in STEPS}


async def waiting(run: Run[PodPlayer], message: str) -> tuple[AttemptRef, str]:
    """An attempt and its pod, whose claim has no volume, with the scheduler's words if it has any."""
    run.player.held = True
    claim = {"kind": "PersistentVolumeClaim", "metadata": {"name": "data"}}
    run.fake.state.add("persistentvolumeclaims", "default", claim)
    run.fake.event("persistentvolumeclaims", "data", "ProvisioningFailed", "no storage class nix")
    (ref,) = await run.start("waits")
    await run.until(lambda: run.player.pods)
    name = run.player.pods[0].name
    if message:
        run.fake.pod_unschedulable(name, message)
    return ref, name


@pytest.mark.budget(6)
@pytest.mark.parametrize("message", ["", "pod has unbound immediate PersistentVolumeClaims"])
async def test_a_claim_that_is_not_bound_is_told_by_its_events(run: Run[PodPlayer], message: str) -> None:
    ref, name = await waiting(run, message)
    told = "the volume claim data is not bound to a volume yet: no storage class nix"
    await run.until(lambda: any(said.startswith(told) for _, said in run.waits()))
    run.fake.pod_running(name)
    await run.until(lambda: run.heard.of(Started, ref))
    assert run.waits()[-1] == ("", ""), "it goes on"


@pytest.mark.budget(6)
async def test_a_claim_that_is_bound_by_now_is_not_blamed(run: Run[PodPlayer]) -> None:
    await waiting(run, "0/1 nodes are available: 1 Insufficient cpu.")
    await asyncio.sleep(30)
    assert {reason for reason, _ in run.waits() if reason} == {"Unschedulable"}
