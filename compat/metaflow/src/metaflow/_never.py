"""Exceptions of Metaflow's that nothing here raises: there so that code which catches them can be imported."""

from headway.errors import HeadwayError


class ExternalCommandFailed(HeadwayError):
    """A command that Metaflow starts failed; Headway starts none."""

    headline = "External command failed"


class MetaflowInternalError(HeadwayError):
    """A defect of Metaflow; one of Headway shows its traceback and asks to be reported."""

    headline = "Internal error"


class KubernetesKilledException(HeadwayError):
    """The pod was killed while Metaflow waited for it; with Headway the task's exception says why it failed."""

    headline = "Kubernetes"
