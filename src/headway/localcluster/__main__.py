"""`python -m headway.localcluster start|status|stop|fault`."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from headway.errors import HeadwayError
from headway.localcluster import Handle, Options, parse_labels, parse_taints, running, start, stop
from headway.localcluster.fault_command import add_parser, carry_out


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The words after the program's name; those of this process by default.

    Returns:
        The exit code: 0, or 1 for `status` where nothing runs, or an error's own.
    """
    given = _parser().parse_args(arguments)
    folder = Path(given.state) if given.state else None
    try:
        if given.command == "start":
            _announce(start(_options(given), folder))
        elif given.command == "status":
            found = running(folder)
            if found is None:
                sys.stderr.write("no embedded cluster is running\n")
                return 1
            _announce(found)
        elif given.command == "fault":
            carry_out(given, folder)
        elif not stop(folder):
            sys.stderr.write("no embedded cluster was running\n")
    except HeadwayError as error:
        sys.stderr.write(f"{error.headline}: {error}\n")
        return error.exit_code
    return 0


def _announce(handle: Handle) -> None:
    sys.stderr.write(f"embedded cluster on https://127.0.0.1:{handle.port}, process {handle.pid}\n")
    if handle.limitation:
        sys.stderr.write(f"pods with volumes cannot run on this machine: {handle.limitation}\n")
    sys.stdout.write(f"export KUBECONFIG={shlex.quote(str(handle.kubeconfig))}\n")


def _options(given: argparse.Namespace) -> Options:
    return Options(
        nodes=given.nodes,
        cpu=given.cpu,
        memory=given.memory,
        gpu=given.gpu,
        pods=given.pods,
        labels=parse_labels(given.label),
        taints=parse_taints(given.taint),
        port=given.port,
        python=given.python,
        isolated=not given.no_isolation,
        idle_exit=60 * given.idle_exit,
        keep=given.keep,
    )


def _parser() -> argparse.ArgumentParser:
    words = "The embedded cluster: the Kubernetes API on loopback, pods as processes."
    parser = argparse.ArgumentParser("headway cluster", description=words)
    parser.add_argument("--state", help="the folder for the cluster's files")
    commands = parser.add_subparsers(dest="command", required=True)
    begin = commands.add_parser("start", help="start the cluster and print how to reach it")
    begin.add_argument("--nodes", type=int, default=1, help="how many nodes to declare")
    begin.add_argument("--cpu", help="processors of each node (default: the machine's)")
    begin.add_argument("--memory", help="memory of each node (default: the machine's)")
    begin.add_argument("--gpu", type=int, default=0, help="GPUs of each node; declared, not there")
    begin.add_argument("--pods", type=int, default=110, help="the most pods on one node")
    begin.add_argument(
        "--label", action="append", default=[], metavar="KEY=VALUE", help="a label of every node"
    )
    begin.add_argument("--taint", action="append", default=[], metavar="KEY=VALUE:EFFECT", help="a taint")
    begin.add_argument("--port", type=int, default=0, help="the port of the API")
    begin.add_argument("--python", default="", help="the interpreter that stands in for images")
    begin.add_argument(
        "--idle-exit",
        type=float,
        default=0,
        metavar="MINUTES",
        help="end after so long without work (0: stay)",
    )
    begin.add_argument(
        "--keep", action="store_true", help="keep objects and claims on disk; the next start --keep has them"
    )
    begin.add_argument("--no-isolation", action="store_true", help="do without namespaces")
    commands.add_parser("status", help="say whether it runs and how to reach it")
    commands.add_parser("stop", help="stop it and everything in it")
    add_parser(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
