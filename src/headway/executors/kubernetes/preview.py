"""What the executor would create for a run's batches, by the functions with which it does; as YAML for ``kubectl``."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import yaml

from headway.config.kubernetes import KubernetesSettings
from headway.executors.kubernetes.gangs import gang_service
from headway.executors.kubernetes.names import run_secret_name, runtime_config_map_name
from headway.executors.kubernetes.planned import for_batch, planned_job, with_lent
from headway.executors.kubernetes.run_secret import run_secret_manifest
from headway.executors.kubernetes.slots import Demand, allot
from headway.executors.kubernetes.tracked import TrackedJob, attempts_of, tracked_job
from headway.executors.kubernetes.warm import Packed, Pool
from headway.executors.kubernetes.warm_jobs import warm_job
from headway.executors.kubernetes.warm_settings import is_warm, terms_of
from headway.store.batch import Batch
from headway.store.records import AttemptRef

#: Stands for the uid that the Job will have.
_NOT_YET = "00000000-0000-0000-0000-000000000000"
#: Stands for the value of a credential.
_HIDDEN = "not shown"


class Shown(NamedTuple):
    """What is created for one batch.

    Attributes:
        manifests: In the order in which they are created.
        warm: Whether pods that outlive their task take it.
    """

    manifests: list[dict[str, Any]]
    warm: bool


class Previewer:
    """Shows one batch after the other, as a run would start them.

    Args:
        settings: By step.
        datastore: The datastore's root.
        pod_env: Environment that pods need to reach it.
        runtime: The hash of the in-pod runtime.
        limit: Pods at a time.
        lent: Names of the variables that lend pods the launcher's credentials.
        run: (flow, run id).
    """

    def __init__(
        self,
        settings: Mapping[str, KubernetesSettings],
        datastore: str,
        pod_env: Mapping[str, str],
        runtime: str,
        limit: int,
        lent: Iterable[str],
        run: tuple[str, str],
    ) -> None:
        self._lent = dict.fromkeys(lent, _HIDDEN)
        self._run = run
        self._settings = with_lent(settings, run_secret_name(*run) if self._lent else None)
        self._cluster = (runtime_config_map_name(runtime), datastore, pod_env)
        self._limit = limit
        self._pools: list[Pool] = []
        self._made = 0
        #: Namespaces that have the run's Secret.
        self._supplied: set[str] = set()

    def show(self, batch: Batch) -> Shown:
        """What would be created for it; nothing where the pods of an earlier one take it."""
        settings = for_batch(self._settings[batch.step], batch)
        warm = is_warm(settings, batch)
        job = self._warm_job(settings, batch) if warm else tracked_job(batch, settings, attempts_of(batch))
        return Shown(self._manifests(job) if job is not None else [], warm)

    def _manifests(self, job: TrackedJob) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        if self._lent and job.namespace not in self._supplied:
            self._supplied.add(job.namespace)
            found.append(run_secret_manifest(*self._run, job.namespace, self._lent))
        gang = job.batch.gang
        demand = Demand(job.name, len(job.attempts), 0, whole=gang is not None)
        job.parallelism = allot(self._limit, [demand])[job.name]
        found.append(planned_job(job, *self._cluster))
        if gang is not None:
            found.append(gang_service(job.settings, job.batch, gang, _NOT_YET))
        return found

    def _warm_job(self, settings: KubernetesSettings, batch: Batch) -> TrackedJob | None:
        """The Job of the pods that are missing.

        Those of earlier batches are there still, and idle, with ``reuse``; without it those of the same foreach.
        """
        if not settings.reuse:
            foreach = terms_of(settings, batch).foreach
            self._pools = [
                pool
                for pool in self._pools
                if not pool.takes(settings, batch)
                or any(terms.foreach == foreach for terms in pool.terms.values())
            ]
        pool = next((pool for pool in self._pools if pool.takes(settings, batch)), None)
        if pool is None:
            pool = Pool.of(settings, batch)
            self._pools.append(pool)
        pool.active = {}
        pool.expect(batch, settings)
        for index, task in enumerate(batch.tasks):
            pool.queue.add(Packed(AttemptRef(batch.step, task.task, task.attempt), index, batch=batch))
        for worker in pool.staying():
            pool.next_chunk(max(len(pool.staying()), pool.wanted()), worker)
        chunks = pool.new_chunks(self._limit)
        pool.queue.clear()
        if not chunks:
            return None
        self._made += 1
        return warm_job(pool, chunks, self._made)


def as_yaml(manifests: Iterable[Mapping[str, Any]]) -> str:
    """Manifests as YAML documents, each begun by ``---``."""
    return "".join("---\n" + _dump(manifest) for manifest in manifests)


def _dump(manifest: Mapping[str, Any]) -> str:
    return str(yaml.dump(manifest, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110))


class _Plain(yaml.SafeDumper):
    """Writes shared values out each time: anchors are for machines."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
