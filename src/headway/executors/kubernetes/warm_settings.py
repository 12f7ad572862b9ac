"""Which batches go to warm pods, and what their settings say of them."""

from headway.config.fields import replace
from headway.config.kubernetes import KubernetesSettings
from headway.executors.kubernetes.packing import Terms
from headway.store.batch import Batch
from headway.store.records import FrameTuple


def pool_settings(settings: KubernetesSettings) -> KubernetesSettings:
    """What makes pods the same: all settings but those that only say how many there are."""
    return replace(settings, pack=1, pods=None)


def is_warm(settings: KubernetesSettings, batch: Batch) -> bool:
    """Whether a batch goes to warm pods: with ``reuse`` any, with ``pack`` or ``pods`` those of a foreach.

    However many there are in it: from its second step on, each task of a foreach comes alone. Each rank of a gang has
    a pod of its own.
    """
    packed = settings.pack > 1 or settings.pods is not None
    several = any(count > 1 for _, _, _, count, _ in _foreaches(batch))
    return batch.gang is None and (settings.reuse or (packed and several))


def terms_of(settings: KubernetesSettings, batch: Batch) -> Terms:
    """How few pods a batch's step is to have; nothing is said of steps outside every foreach."""
    foreaches = _foreaches(batch)
    return Terms(settings.pack, settings.pods, foreaches[-1][0]) if foreaches else Terms()


def _foreaches(batch: Batch) -> list[FrameTuple]:
    """Where its tasks stand in foreaches, the outermost first; a static branch has no variable."""
    return [frame for frame in batch.frames if frame[4] is not None]
