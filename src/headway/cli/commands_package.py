"""``package``: what of the flow's code ships to pods."""

from pathlib import Path

from headway.cli.context import program
from headway.launch.bundle.archive import pack
from headway.launch.bundle.describe import left_out_rows, shipped_rows, summary, warnings
from headway.launch.bundle.plan import Plan
from headway.launch.shipping import bundle_limits, plan_bundle


def list_files() -> None:
    """Print every file that ships on stdout; what does not, and why, on stderr."""
    this = program()
    plan = _plan()
    for row in shipped_rows(plan):
        this.write(f"{row.size:>9}  {row.path}" + (f"  ({row.package})" if row.package else ""))
    for left_out in left_out_rows(plan):
        this.write(f"left out   {left_out.path}  ({left_out.rule})", error=True, style="dim")
    for warning in warnings(plan):
        this.write(warning, error=True, style="bad")
    this.write(summary(plan), error=True)


def info() -> None:
    """Print one line."""
    program().write(summary(_plan()))


def save(file: Path) -> None:
    """Write the package."""
    archive = pack(_plan())
    file.write_bytes(archive.data)
    program().write(f"{file}: sha256 {archive.sha256}")


def _plan() -> Plan:
    this = program()
    limits = bundle_limits(this.configuration, this.options.package_suffixes, this.options.package_max_size)
    return plan_bundle(this.origin, limits)
