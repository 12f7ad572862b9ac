"""What the container starts: Python on the in-pod runtime, after ``sh`` only for a sandbox init script."""

from headway.config.kubernetes import KubernetesSettings
from headway.executors.kubernetes.environment import INIT_SCRIPT, literal
from headway.executors.kubernetes.volumes import RUNTIME_PATH

#: The exit code of a container whose sandbox init script failed; the runtime itself never ends with it.
INIT_SCRIPT_FAILED = 121

#: Executes what stands at the head of the runtime's file (see archive.py). ``python file`` would do the same after
#: it had searched the zip and loaded what it needs for that: a third of what a pod does before its step.
_START = f"file = open({RUNTIME_PATH!r}, 'rb'); exec(file.read(int(file.readline())))"

# The script may call exit or fail: the trap turns either into one code of its own. The runtime takes
# the shell's place, so that signals reach it and exports survive.
_INIT_WRAPPER = f"""\
trap 'echo "The sandbox init script failed (exit code $?)." >&2; exit {INIT_SCRIPT_FAILED}' EXIT
eval "${INIT_SCRIPT}" || exit
trap - EXIT
exec "$@"
"""


def container_command(settings: KubernetesSettings) -> list[str]:
    """The container's command; the init script itself travels in a variable."""
    command = [literal(settings.executable), "-c", _START]
    if settings.sandbox_init_script is None:
        return command
    return ["sh", "-c", _INIT_WRAPPER, "sh", *command]
