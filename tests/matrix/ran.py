"""A rendered flow and what was done with it: its run, the run that broke, the one that resumed it, commands."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path

import headway
from matrix.feature import Feature
from matrix.graph import Shape
from matrix.render import BREAK, flow_name, render
from matrix.seen import Seen, Typed, by_client, by_commands

#: Seconds after which a command that has not ended is a failure.
PATIENCE = 300.0


@dataclass(frozen=True)
class Place:
    """Where flows are run.

    Attributes:
        root: The datastore's root, for the client.
        environ: The variables of all commands.
        before: Words before ``run``, such as ``--with kubernetes``.
        in_pods: Whether steps run as pods, to which variables have to be brought.
    """

    root: str
    environ: Mapping[str, str]
    before: Sequence[str] = ()
    in_pods: bool = False


@dataclass
class Ran:
    """A flow of a shape with features, and everything that was done with it.

    Args:
        shape: Its shape.
        features: Its features.
        label: Part of the flow's name.
        folder: An empty folder, its alone.
        place: Where it runs.
        pool: Does things meanwhile.
    """

    shape: Shape
    features: Sequence[Feature]
    label: str
    folder: Path
    place: Place
    pool: Executor
    _done: dict[tuple[str, ...], "Future[Typed]"] = field(default_factory=dict)
    _seen: dict[str, Seen] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        (self.folder / "flow.py").write_text(render(self.shape, self.features, self.label), encoding="utf-8")
        for feature in self.features:
            for name, text in feature.files().items():
                (self.folder / name).write_text(text, encoding="utf-8")

    @property
    def flow(self) -> str:
        """The flow's name."""
        return flow_name(self.shape, self.label)

    # What is done.

    def begin(self, modes: frozenset[str]) -> None:
        """Start what cases of these modes are going to ask for."""
        if modes & {"client", "commands"}:
            self._soon("run", self._run)
        if "resume" in modes:
            self._soon("broken", self._broken)
            self._soon("resumed", self._resumed)

    @property
    def run(self) -> Typed:
        """The run, to its end."""
        return self._soon("run", self._run).result()

    @property
    def broken(self) -> Typed:
        """The run that was broken at the shape's place for that."""
        return self._soon("broken", self._broken).result()

    @property
    def resumed(self) -> Typed:
        """``resume`` after it."""
        return self._soon("resumed", self._resumed).result()

    def typed(self, *words: str, **environ: str) -> Typed:
        """A command about the flow, typed once the run is over; the same one is typed once only."""
        key = (*words, *(f"{name}={value}" for name, value in sorted(environ.items())))
        if key not in self._done:
            self._done[key] = Future()
            self._done[key].set_result(self._type(words, environ))
        return self._done[key].result()

    def _soon(self, name: str, do: "object") -> "Future[Typed]":
        if (name,) not in self._done:
            self._done[name,] = self.pool.submit(do)  # type: ignore[arg-type]
        return self._done[name,]

    def _run(self) -> Typed:
        return self._start("run", "run.id")

    def _broken(self) -> Typed:
        told = {BREAK: "yes"}
        if self.place.in_pods:
            told["HEADWAY_KUBERNETES_ENV"] = json.dumps(told)
        return self._start("run", "broken.id", **told)

    def _resumed(self) -> Typed:
        # In the order of the pool's queue the broken run comes first, so it is being worked on or done.
        broken = self.broken
        if broken.code != 1:
            return broken
        return self._start("resume", "resumed.id", "--origin-run-id", self.id_of("broken"))

    def _start(self, command: str, id_file: str, *more: str, **environ: str) -> Typed:
        words = [*self.place.before]
        words += [word for feature in self.features for word in feature.before(command)]
        words += [command, "--run-id-file", id_file, *more]
        words += [word for feature in self.features for word in feature.behind(command)]
        return self._type(words, environ)

    def _type(self, words: Sequence[str], environ: Mapping[str, str]) -> Typed:
        own = {name: value for feature in self.features for name, value in feature.environ().items()}
        done = subprocess.run(
            [sys.executable, "flow.py", *words],
            cwd=self.folder,
            env={**self.place.environ, **own, **environ},
            capture_output=True,
            text=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=PATIENCE,
        )
        return Typed(tuple(words), done.returncode, done.stdout, done.stderr)

    # What is seen.

    def id_of(self, name: str) -> str:
        """The id of ``run``, ``broken`` or ``resumed``."""
        return (self.folder / f"{name}.id").read_text().strip()

    def client(self, name: str = "run") -> headway.Run:
        """One of the runs through the client."""
        headway.metadata(self.place.root)
        headway.namespace(None)
        return headway.Run(f"{self.flow}/{self.id_of(name)}")

    def went_well(self, mode: str) -> str:
        """What went wrong before there is anything to see in a mode, "" if nothing did."""
        if mode != "resume":
            return "" if self.run.code == 0 else f"the run failed:\n{self.run.all}"
        if self.broken.code != 1 or "broken on purpose" not in self.broken.stderr:
            return f"the run that was to break ended otherwise:\n{self.broken.all}"
        return "" if self.resumed.code == 0 else f"resume failed:\n{self.resumed.all}"

    def seen(self, mode: str) -> Seen:
        """The run, or the resumed run, as one sees it in a mode."""
        if mode not in self._seen:
            self._seen[mode] = self._look(mode)
        return self._seen[mode]

    def seen_of(self, name: str) -> Seen:
        """One of the runs through the client."""
        return by_client(self.shape, self.client(name), name)

    def _look(self, mode: str) -> Seen:
        if mode != "commands":
            return by_client(self.shape, self.client("resumed" if mode == "resume" else "run"), mode)
        run_id = self.id_of("run")
        dumped = self.typed("dump", run_id, "--private", "--file", "dumped")
        assert dumped.code == 0, dumped.all

        def logs(stream: str) -> Typed:
            told = self.typed("logs", run_id, f"--{stream}")
            assert told.code == 0, told.all
            return told

        return by_commands(self.shape, self.flow, run_id, self.folder / "dumped", logs)


def local_place(folder: Path) -> Place:
    """Steps on this machine, everything kept in a folder."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not re.match("HEADWAY|METAFLOW|KUBECONFIG|MATRIX", name)
    }
    root = str(folder / "data")
    source = str(Path(headway.__file__).parents[1])
    return Place(
        root,
        {
            **kept,
            "PYTHONPATH": source,
            "HOME": str(folder),
            "HEADWAY_USER": "ann",
            "HEADWAY_DATASTORE_SYSROOT_LOCAL": root,
            "HEADWAY_EMBEDDED_CLUSTER": "never",
        },
    )
