"""Starts the flows of the snippets, each in a workspace of its own and a few of them at a time."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.launch import Launch
from harness.reading import RunView
from harness.workspace import SMALL, Variables, Workspace, Workspaces

from seeds.case import Case
from seeds.documents import PYTHON, all_snippets
from seeds.flows import flow_file, flow_name, function_steps
from seeds.objects import Objects
from seeds.shell import FITTING_VARIABLES, exports

#: The import folder of the package that makes Metaflow's names ours.
ALIASES = [Path(__file__).parents[3] / "compat" / name / "src" for name in ("metaflow", "zenml")]

SNIPPETS = {snippet.key: snippet for snippet in all_snippets() if snippet.kind == PYTHON}

#: How many runs go on while the first of them is looked at.
_AT_A_TIME = 3


def newcomer(space: Workspace) -> Workspace:
    """Somebody whose Metaflow is Headway, and whose pods have no access to the object store of their own."""
    path = [*map(str, ALIASES), *filter(None, [os.environ.get("PYTHONPATH")])]
    space.environ |= {
        "PYTHONPATH": os.pathsep.join(path),
        "HEADWAY_FORWARD_CREDENTIALS": "1",
        # With qos Guaranteed it is also all that a pod gets.
        "HEADWAY_KUBERNETES_CPU": "0.2",
    }
    del space.environ["HEADWAY_KUBERNETES_SECRETS"]
    return space


@dataclass(frozen=True)
class SeedRun:
    """The run of one snippet.

    Attributes:
        space: Where it was started.
        program: The flow file.
        variables: What differs from the workspace's variables.
        launch: The launcher.
    """

    space: Workspace
    program: str
    variables: Variables
    launch: Launch

    @property
    def steps_in_pods(self) -> set[str]:
        """The steps under a @kubernetes, as the text has them; of a pipeline here all."""
        if calls := function_steps(self.program):
            return set(calls)
        decorated = re.findall(r"@kubernetes\b(?:(?!\bdef ).)*?@step\s+def (\w+)", self.program, re.DOTALL)
        assert decorated
        return set(decorated)

    def read(self) -> RunView:
        """The run through the client."""
        return self.space.read(flow_name(self.program) or "", self.launch.wait(), env=self.variables)


@dataclass
class SeedRuns:
    """The runs of some snippets, begun in this order and a little before they are asked for."""

    cases: Sequence[Case]
    workspaces: Workspaces
    objects: Objects
    started: dict[str, SeedRun] = field(default_factory=dict)

    def of(self, case: Case) -> SeedRun:
        """The run of this snippet, which may still go on."""
        position = self.cases.index(case)
        for each in self.cases[position : position + _AT_A_TIME]:
            if each.snippet not in self.started:
                self.started[each.snippet] = self._start(each)
        return self.started[case.snippet]

    def _start(self, case: Case) -> SeedRun:
        space = newcomer(self.workspaces())
        program = case.fitted(flow_file(SNIPPETS[case.snippet], case), space.kubectl.namespace)
        for name, text in case.files.items():
            (space.folder / name).parent.mkdir(exist_ok=True)
            (space.folder / name).write_text(text)
        self.objects.ensure(case.needs)
        variables = documented_variables(case, space)
        late = [word for text in case.late for word in ("--with", text)]
        launch = space.start(program, *late, "run", "--forward-credentials", env=variables)
        return SeedRun(space, program, variables, launch)


def documented_variables(case: Case, space: Workspace) -> dict[str, str | None]:
    """The document's own environment for this snippet, in place of what the workspace says instead."""
    if not case.environment:
        return {}
    own = {
        "namespace": space.kubectl.namespace,
        "datastore": space.environ["HEADWAY_DATASTORE_SYSROOT_S3"],
        "owner": space.selector,
    }
    said: dict[str, str | None] = dict.fromkeys(SMALL)
    for name, value in exports(all_snippets())[case.environment]:
        if name in FITTING_VARIABLES:
            fitting = FITTING_VARIABLES[name]
            said[name] = fitting and fitting.format_map(own)
        else:
            said[name] = value
        said[name.replace("METAFLOW_", "HEADWAY_")] = None
    return said
