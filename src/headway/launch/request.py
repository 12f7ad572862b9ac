"""What a person asks for who types ``run``, ``resume`` or ``attach``."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

from headway.flow.graph import Graph
from headway.launch.claim import Resumption
from headway.launch.origin import Origin
from headway.launch.past import PastRun

if TYPE_CHECKING:
    from headway.flow.packaged import Packaged
    from headway.launch.overrides import Override


class RunRequest(Struct, frozen=True):
    """What is to be run, and how, as a person asked for it.

    Attributes:
        graph: The flow's graph, late decorators attached.
        origin: How the flow was started here.
        parameters: Values of the parameters, and of the class's constants, by name.
        given: The parameters as text, for people.
        parameter_changes: Parameters that the flow's mutators gave it or took, for its steps' processes.
        tags: Tags of the run.
        namespace: The user namespace, "user:<name>" by default.
        datastore: ``--datastore``.
        datastore_root: ``--datastore-root``.
        max_workers: ``--max-workers``: attempts at a time, for each executor; None for their defaults.
        max_num_splits: ``--max-num-splits``.
        max_log_size: ``--max-log-size`` in MB.
        package_suffixes: ``--package-suffixes``.
        package_max_size: ``--package-max-size``.
        run_id_file: Where the run's id is written.
        runner_attribute_file: Where the run's id, flow and place are written, as JSON, for who started it.
        pods_see_folders: Whether pods see this machine's folders, so that a local datastore will do.
        forward_credentials: Whether pods may use the launcher's own access to the datastore.
        overrides: ``--override``.
        resumes: The earlier run that this one goes on from, and how; None where it begins anew.
        branch: ``--branch``, for flows with ``@project``.
        production: ``--production``, likewise.
        attaches: The run itself, where another launcher began it and died.
        packages_anew: ``--force-rebuild-environments``: resolve again what @pypi asks for.
        triggers: What ``--trigger`` says, as text; "" without it.
        packaged: Asks what the flow's mutators want shipped, where code is shipped.
    """

    graph: Graph
    origin: Origin
    parameters: Mapping[str, object] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    parameter_changes: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    namespace: str | None = None
    datastore: str | None = None
    datastore_root: str | None = None
    max_workers: int | None = None
    max_num_splits: int = 100
    max_log_size: int = 10
    package_suffixes: str | None = None
    package_max_size: str | None = None
    run_id_file: str | None = None
    runner_attribute_file: str | None = None
    forward_credentials: bool = False
    pods_see_folders: bool = False
    overrides: "tuple[Override, ...]" = ()
    resumes: Resumption | None = None
    branch: str | None = None
    production: bool = False
    attaches: PastRun | None = None
    packages_anew: bool = False
    triggers: str = ""
    packaged: "Callable[[], Sequence[Packaged]]" = tuple

    @property
    def past(self) -> PastRun | None:
        """The run that this one goes on from, which may be itself."""
        return self.attaches or (self.resumes.past if self.resumes is not None else None)
