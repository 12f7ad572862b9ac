"""``package``: what of the flow's code ships to pods."""

from pathlib import Path

from headway.cli.context import program
from headway.launch.bundle.archive import pack
from headway.launch.bundle.describe import left_out_rows, shipped_rows, summary, warnings
from headway.launch.bundle.plan import Plan
from headway.launch.packages.cache import PackageCache, cache_folder
from headway.launch.packages.ship import package_lines
from headway.launch.packages.wanted import wanted_by
from headway.launch.shipping import bundle_limits, plan_bundle
from headway.launch.steps import plan_steps


def list_files(*, archive: bool = False) -> None:
    """Print every file that ships on stdout; what does not, and why, on stderr.

    Args:
        archive: Only the paths in the package.
    """
    this = program()
    plan = _plan()
    if archive:
        for row in shipped_rows(plan):
            this.write(row.path)
        return
    for row in shipped_rows(plan):
        this.write(f"{row.size:>9}  {row.path}" + (f"  ({row.package})" if row.package else ""))
    for line in _packages():
        this.write(line)
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


def _packages() -> list[str]:
    """What the steps' packages are."""
    this = program()
    steps = plan_steps(this.graph(), this.configuration, this.overrides())
    pods = {name: step.kubernetes for name, step in steps.items() if step.kubernetes is not None}
    wanted = wanted_by(this.graph(), pods, this.configuration)
    return package_lines(wanted, PackageCache(cache_folder())) if wanted else []


def _plan() -> Plan:
    this = program()
    limits = bundle_limits(this.configuration, this.options.package_suffixes, this.options.package_max_size)
    return plan_bundle(this.origin, limits, this.packaged())
