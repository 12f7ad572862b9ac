"""Trees of files and modules that were never imported."""

from pathlib import Path

from headway.launch.bundle.collect import collect
from headway.launch.bundle.loaded import LoadedModule
from headway.launch.bundle.plan import Plan
from headway.store.batch import Code

IGNORE_FILES = {"ours": ".headwayignore", "git": ".gitignore"}


def plant(root: Path, *names: str, **contents: str) -> Path:
    """Make files below a folder: empty ones by their names, ignore files by their content."""
    root.mkdir(parents=True, exist_ok=True)
    texts = {**dict.fromkeys(names, ""), **{IGNORE_FILES[key]: text for key, text in contents.items()}}
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def loaded(**files: Path) -> list[LoadedModule]:
    """Loaded modules by name (dots as two underscores); a folder is a namespace package."""
    found = []
    for key, file in files.items():
        name = key.replace("__", ".")
        if file.is_dir():
            found.append(LoadedModule(name, None, (file,)))
        else:
            found.append(LoadedModule(name, file, (file.parent,) if file.name == "__init__.py" else ()))
    return found


def plan_of(root: Path, *suffixes: str, modules: list[LoadedModule] | None = None) -> Plan:
    """The plan for ``python flow.py`` in this folder."""
    code = Code("path", "flow.py", ("__main__", "F"), root=str(root))
    return collect(code, (".py", *suffixes), modules or [], installed=[])


def shipped(plan: Plan) -> list[str]:
    return [file.path for file in plan.files]


def rules(plan: Plan) -> dict[str, str]:
    return {one.path: one.rule for one in plan.left_out}
