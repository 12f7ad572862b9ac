"""``Flow``: the runs of a flow; and ``Headway``: all flows."""

from datetime import datetime
from typing import Any, Iterator, List, Optional, Sequence

from headway.client.entity import Entity, in_namespace
from headway.client.errors import FlowNotFoundError
from headway.client.facts import local_time
from headway.client.lookup import find_run, flow_exists, flow_names, runs_of
from headway.client.namespaces import get_namespace
from headway.client.pathspec import Path, is_name
from headway.client.run import Run
from headway.client.run_data import RunData
from headway.client.unread import Unread
from headway.errors import NotFoundError


class Flow(Entity, depth=1):
    """A flow by its name: ``Flow("MyFlow")``. Iteration and ``[id]`` give its runs, the newest first.

    Only runs in the user namespace are given, wherever their data is; opened with
    ``_namespace_check=False`` it gives all of them, as with Metaflow.
    """

    #: Whether it keeps to the user namespace; written down where it does not, and travels in a pickle then.
    _checks_namespace = True

    def __init__(
        self, pathspec: str = "", *parts: object, attempt: Optional[int] = None, _namespace_check: bool = True
    ) -> None:
        if not _namespace_check:
            self._checks_namespace = False
        super().__init__(pathspec, *parts, attempt=attempt, _namespace_check=_namespace_check)

    def _open(self, attempt: Optional[int]) -> None:
        if not flow_exists(self.id):
            raise self._missing(flow_names())

    @classmethod
    def _bound(cls, run: Optional[RunData], path: Path) -> Any:
        """The flow of a run, or one that is known to have run."""
        self = cls.__new__(cls)
        self._path = path
        return self

    def __iter__(self) -> Iterator[Run]:
        return self.runs()

    def __getitem__(self, run: object) -> Run:
        data = find_run(self.id, str(run)) if is_name(str(run)) else None
        if data is None:
            from headway.client.metaflows_own import of_metaflow  # on the way to an error only

            told = of_metaflow(self.id, str(run)) if is_name(str(run)) else ""
            raise KeyError(f"{self!r} has no run {run!r}. {told}".strip())
        found: Run = Run._bound(data, (self.id, data.run))
        if self._checks_namespace and not found.is_in_namespace():
            raise found._outside()
        return found

    def __contains__(self, run: object) -> bool:
        return is_name(str(run)) and find_run(self.id, str(run)) is not None

    def runs(self, *tags: str) -> Iterator[Run]:
        """Its runs in the user namespace, the newest first.

        Args:
            *tags: Only those with all these tags.
        """
        return self._runs_in(get_namespace() if self._checks_namespace else None, tags)

    def _runs_in(
        self, namespace: Optional[str], tags: Sequence[str] = (), unread: Optional[Unread] = None
    ) -> Iterator[Run]:
        for data in runs_of(self.id, with_tags=bool(tags), unread=unread):
            run: Run = Run._bound(data, (self.id, data.run))
            if in_namespace(data, namespace) and run._tagged(tags):
                yield run

    @property
    def latest_run(self) -> Optional[Run]:
        """Its newest run in the user namespace, finished or not; None where there is none."""
        return next(self.runs(), None)

    @property
    def latest_successful_run(self) -> Optional[Run]:
        """Its newest run in the user namespace that succeeded; None where none did."""
        return next((run for run in self.runs() if run.successful), None)

    @property
    def parent(self) -> None:
        """Nothing: a flow stands alone."""

    @property
    def created_at(self) -> Optional[datetime]:
        """When it was first run, local time; None where its runs are gone."""
        created = [data.summary.created for data in runs_of(self.id)]
        return local_time(min(created)) if created else None

    def is_in_namespace(self) -> bool:
        """Whether it has a run in the user namespace that is in use."""
        return self._has_runs_in(get_namespace())

    def _has_runs_in(self, namespace: Optional[str], unread: Optional[Unread] = None) -> bool:
        return namespace is None or next(self._runs_in(namespace, unread=unread), None) is not None


class Headway:
    """All flows, as far as they have a run in the user namespace: ``Headway().flows``."""

    @property
    def flows(self) -> List[Flow]:
        """The flows, by name."""
        return list(self)

    def __iter__(self) -> Iterator[Flow]:
        unread = Unread()
        for name in flow_names():
            flow: Flow = Flow._bound(None, (name,))
            if flow._has_runs_in(get_namespace(), unread):
                yield flow

    def __getitem__(self, name: str) -> Flow:
        try:
            return Flow(name)
        except NotFoundError as error:
            raise FlowNotFoundError(error.message, error.hint) from None

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and is_name(name) and flow_exists(name)

    def __repr__(self) -> str:
        return "Headway()"
