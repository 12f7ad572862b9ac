"""What every command of a flow's command line shares: the flow, the program's own options, the configuration."""

import os
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from headway.call import CONSTANTS
from headway.cli.configs import given_configs
from headway.config.general import datastore_roots, default_decorators, name_profile, name_store, user
from headway.config.sources import Configuration
from headway.errors import SettingsError, UsageError
from headway.flow.check import check_attached
from headway.flow.declare import declare
from headway.flow.declared import Declared
from headway.flow.graph import Graph
from headway.flow.members import configs_of, parameters_of
from headway.flow.parameters import ParameterContext
from headway.flow.parse import parse_flow
from headway.launch.origin import Origin, find_origin
from headway.ui.writer import StreamWriter

if TYPE_CHECKING:
    from headway.flow.decorators import DecoratorSpec
    from headway.flow.mutate import Mutation
    from headway.flow.packaged import Packaged
    from headway.flow.pipeline import Pipeline
    from headway.flow.trace import Traced
    from headway.launch.overrides import Override
    from headway.launch.past import PastRun


class Options(Struct, frozen=True):
    """The program's own options.

    Attributes:
        quiet: ``--quiet``.
        datastore: ``--datastore``.
        datastore_root: ``--datastore-root``.
        late: ``--with``, as typed.
        package_suffixes: ``--package-suffixes``.
        package_max_size: ``--package-max-size``.
        environment: ``--environment``, which changes nothing, and says so where that may surprise.
        packages_anew: ``--force-rebuild-environments``.
        config_name: ``--config-name``.
        overrides: ``--override``, as typed.
        configs: ``--config``: pairs of a configuration's name and a path.
        config_values: ``--config-value``: pairs of a configuration's name and its value.
        branch: ``--branch``, which flows with ``@project`` have.
        production: ``--production``, likewise.
        triggers: ``--trigger``, which flows with ``@trigger_on_finish`` have: runs as ``flow/run``.
        metadata: ``--metadata``, which changes nothing.
        event_logger: ``--event-logger``, likewise.
        monitor: ``--monitor``, likewise.
        local_config_file: ``--local-config-file``.
    """

    quiet: bool = False
    datastore: str | None = None
    datastore_root: str | None = None
    late: tuple[str, ...] = ()
    package_suffixes: str | None = None
    package_max_size: str | None = None
    environment: str | None = None
    packages_anew: bool = False
    config_name: str | None = None
    overrides: tuple[str, ...] = ()
    configs: tuple[tuple[str, str], ...] = ()
    config_values: tuple[tuple[str, str], ...] = ()
    branch: str | None = None
    production: bool = False
    triggers: tuple[str, ...] = ()
    metadata: str | None = None
    event_logger: str | None = None
    monitor: str | None = None
    local_config_file: str | None = None

    @classmethod
    def of(cls, typed: Mapping[str, Any]) -> "Options":
        """The options as the command line's parser understood them."""
        many = {name: tuple(value) for name, value in typed.items() if isinstance(value, (list, tuple))}
        return cls(**{**typed, **many})


class Program:
    """One flow's command line.

    Args:
        flow_class: The flow.
        options: The program's own options.
        write: Where its words go.
    """

    def __init__(self, flow_class: Any, options: Options, write: StreamWriter) -> None:
        self.flow_class = flow_class
        self.options = options
        self.write = write
        #: The configurations of the run that this one takes up again, by attribute; None reads them anew.
        self.stored_configs: Mapping[str, Any] | None = None
        #: What a pipeline is called with; None for what it was called with here, and its defaults.
        self.arguments: Mapping[str, Any] | None = None

    @property
    def flow(self) -> str:
        """The flow's name."""
        return str(self.flow_class.__name__)

    @cached_property
    def configuration(self) -> Configuration:
        """Variables and files."""
        found = Configuration.load(os.environ, Path.cwd(), self.options.config_name)
        name_store(found)
        name_profile(found)
        return found

    @cached_property
    def origin(self) -> Origin:
        """How the flow was started."""
        return find_origin(self.flow_class)

    @property
    def depends_on_configs(self) -> bool:
        """Whether the flow's parameters may depend on more than its own code."""
        return bool(configs_of(self.flow_class)) or self._has_mutators

    @cached_property
    def declared(self) -> Declared:
        """What the flow declares, its configurations read.

        Raises:
            UsageError: A configuration is missing or cannot be read.
            FlowDefinitionError: A declaration is wrong.
        """
        return self._by_itself if self._mutation is None else self._mutation.declared

    @cached_property
    def _by_itself(self) -> Declared:
        """What the flow declares, its mutators not heard."""
        options = self.options
        given = given_configs(
            options.configs, options.config_values, self.configuration.environ, options.local_config_file
        )
        return declare(self.flow_class, given, self.parameter_context, self.stored_configs)

    @cached_property
    def _mutation(self) -> "Mutation | None":
        """The flow in the hands of its mutators, None where it has none."""
        if not self._has_mutators:
            return None
        from headway.flow.mutate import Mutation  # for such flows only

        return Mutation(self._by_itself)

    @cached_property
    def _has_mutators(self) -> bool:
        if "headway.flow.user_decorators" not in sys.modules:
            return False
        from headway.flow.mutate import has_mutators  # for flows that have decorators of their own

        return has_mutators(self.flow_class)

    @property
    def parameter_changes(self) -> Mapping[str, str]:
        """The parameters that mutators gave the flow or took, as its steps' processes are told of them."""
        if self._mutation is None:
            return {}
        from headway.flow.given_members import changed_parameters  # for flows with mutators

        return changed_parameters(parameters_of(self.flow_class), self.declared.parameters)

    def packaged(self) -> "Sequence[Packaged]":
        """What the flow's mutators ask to be shipped with its code."""
        return () if self._mutation is None else self._mutation.packaged()

    @property
    def parameter_context(self) -> ParameterContext:
        """What defaults that are functions are called with."""
        return ParameterContext(
            flow_name=self.flow,
            user_name=user(self.configuration),
            parameter_name="",
            # As Metaflow's is called, which knows colours, indents and the like.
            logger=lambda line="", **_: self.write(str(line), error=True),
            ds_type=self._store_kind,
        )

    @property
    def _store_kind(self) -> str:
        """The kind of datastore, as far as it is known before the steps are."""
        options, default = self.options, self.configuration.get("DEFAULT_DATASTORE")
        if options.datastore is None and options.datastore_root is None and default is None:
            return "local"
        # For those who say where data goes.
        from headway.config.datastore import choose_datastore

        try:
            roots = datastore_roots(self.configuration)
            return choose_datastore(options.datastore, options.datastore_root, roots, False, default).kind
        except SettingsError:
            # Told by what needs the datastore; others go on without it.
            return options.datastore or "local"

    @cached_property
    def written_graph(self) -> Graph:
        """The graph as the code has it.

        Raises:
            FlowDefinitionError: The flow is not valid.
        """
        if self.pipeline is not None:
            return self.traced.graph
        return parse_flow(self.flow_class, self.origin.source, self.declared)

    @property
    def pipeline(self) -> "Pipeline | None":
        """The pipeline that this is the command line of, None for a flow."""
        if "headway.flow.pipeline" not in sys.modules:
            return None
        from headway.cli.pipelines import pipeline_of  # for programs that have one

        return pipeline_of(self.flow_class)

    @cached_property
    def traced(self) -> "Traced":
        """What the pipeline does with its arguments.

        Raises:
            UsageError: One is missing.
            FlowDefinitionError: Its body is wrong.
        """
        # For pipelines only.
        from headway.flow.parameter_checks import check_parameters
        from headway.flow.trace import trace

        assert self.pipeline is not None, "asked only of pipelines"
        check_parameters(self.declared.parameters.values())
        arguments = self.arguments
        if arguments is None:
            arguments = self.called_with(self._from_variables())
        return trace(self.pipeline, arguments, self.origin.source)

    def _from_variables(self) -> Mapping[str, Any]:
        """The values of parameters that variables give: other commands than ``run`` have no options for them.

        Raises:
            UsageError: One has none, and needs one.
        """
        from headway.cli.parameters import given_values, run_parameters  # for pipelines only

        parameters = self.declared.parameters
        texts = given_values(parameters, {}, self.configuration.environ)
        for name, parameter in parameters.items():
            if parameter.required and name not in texts:
                raise UsageError(
                    f"Parameter '{parameter.name}' is required: what the pipeline's body calls may depend on it.",
                    f"Set {parameter.variables[0]}=VALUE; only run has the option --{parameter.name}.",
                )
        return run_parameters(self, texts)

    def recall(self, past: "PastRun") -> None:
        """Let a pipeline be called with what it was called with in an earlier run."""
        if self.pipeline is not None:
            self.arguments = self.called_with(past.values(signature(self.pipeline.entrypoint).parameters))

    def called_with(self, known: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a pipeline is called with: what is known, else what it was called with here, and its defaults."""
        from headway.cli.pipelines import as_given, given_arguments  # for pipelines only

        values = {
            name: each.value((), self.parameter_context)
            for name, each in self.declared.parameters.items()
            if name not in known
        }
        told = {name: as_given(self.flow_class, name, value) for name, value in {**values, **known}.items()}
        return {**given_arguments(self.flow_class), **told}

    @property
    def constants(self) -> dict[str, object]:
        """What the calls of a pipeline are given as such, as artifacts that stand with its parameters."""
        if self.pipeline is None:
            return {}
        return {f"{CONSTANTS}{name}": dict(given) for name, given in self.traced.constants.items()}

    def command(self, words: str) -> str:
        """What to type for another command of this flow."""
        code, before = self.origin.code, ""
        if self.pipeline is not None:
            from headway.cli.pipelines import addressed  # for pipelines only

            before = addressed(self.pipeline)
        if code.kind == "module":
            return f"{before}python -m {code.main} {words}"
        return f"{before}python {sys.argv[0]} {words}" if code.kind == "path" else words

    def overrides(self, more: Sequence[str] = ()) -> "tuple[Override, ...]":
        """What ``--override`` says, before the command and after it."""
        texts = [*self.options.overrides, *more]
        if not texts:
            return ()
        # Knows the settings' table; most command lines override nothing.
        from headway.launch.overrides import parse_override

        return tuple(parse_override(text) for text in texts)

    def graph(self, late: tuple[str, ...] = (), *, defaults: bool = True) -> Graph:
        """The graph with what was attached from outside: ``--with`` and DEFAULT_DECOSPECS.

        Args:
            late: What ``--with`` says after the command.
            defaults: Whether DEFAULT_DECOSPECS, which says where steps of runs are run, has a say.
        """
        said = [(text, "") for text in (*self.options.late, *late)]
        if defaults:
            said += [(str(each.value), each.source) for each in default_decorators(self.configuration)]
        if not said and self._mutation is None:
            return self.written_graph
        # Knows every decorator's attributes; most command lines attach none.
        from headway.flow.late import parse_with

        specs = [parse_with(text, source) for text, source in said]
        if self.pipeline is not None:
            graph = self.traced.graph_with(specs)
        elif self._mutation is None and all(spec.user is None for spec in specs):
            graph = self.written_graph.with_decorators(specs)
        else:
            return self._mutated_graph(specs)
        # What was written is checked, and late decorators each by itself.
        check_attached(self.flow_class, graph)
        return graph

    def _mutated_graph(self, late: "Sequence[DecoratorSpec]") -> Graph:
        from headway.flow.mutate import Mutation  # as above

        mutation = self._mutation or Mutation(self._by_itself)
        return parse_flow(self.flow_class, self.origin.source, mutation.finish(late))
