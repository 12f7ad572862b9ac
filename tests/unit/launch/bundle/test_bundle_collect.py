"""Which files ship, from where, and what a person is told about the rest."""

import os
from pathlib import Path

import pytest
from bundle_trees import loaded, plan_of, plant, rules, shipped

from headway.errors import UsageError
from headway.launch.bundle.collect import IMPORTS, collect, parse_suffixes
from headway.launch.bundle.loaded import LoadedModule
from headway.launch.bundle.walk import Walk
from headway.store.batch import Code


def test_the_flows_folder_ships_by_suffix(tmp_path: Path) -> None:
    root = plant(
        tmp_path, "flow.py", "helpers/__init__.py", "helpers/deep/more.py", "model.R", "notes.md", "LICENSE"
    )
    assert shipped(plan_of(root)) == ["flow.py", "helpers/__init__.py", "helpers/deep/more.py"]
    assert plan_of(root).other_suffixes == {"": 1, ".R": 1, ".md": 1}
    assert shipped(plan_of(root, ".R")) == [
        "flow.py",
        "helpers/__init__.py",
        "helpers/deep/more.py",
        "model.R",
    ]
    assert len(shipped(plan_of(root, ""))) == 6


def test_the_flow_itself_ships_whatever_its_name(tmp_path: Path) -> None:
    root = plant(tmp_path, "flow", ours="flow\n")
    plan = collect(Code("path", "flow", ("__main__", "F"), root=str(root)), modules=[], installed=[])
    assert shipped(plan) == ["flow"]


def test_what_is_never_code_stays_here_and_is_told(tmp_path: Path) -> None:
    root = plant(
        tmp_path, "flow.py", ".git/hook.py", ".hidden/a.py", "__pycache__/b.py", "node_modules/c.py",
        "env/pyvenv.cfg", "env/lib/d.py", "conda/conda-meta/x", "conda/e.py", "x.egg-info/f.py", ".secret.py",
    )  # fmt: skip
    plan = plan_of(root)
    assert shipped(plan) == ["flow.py"]
    assert rules(plan) == {
        ".hidden/": "hidden",
        ".secret.py": "hidden",
        "conda/": "a Python environment",
        "env/": "a Python environment",
        "node_modules/": "never the flow's own code",
        "x.egg-info/": "package metadata",
    }


def test_gitignore_keeps_folders_out_but_never_a_file_of_code(tmp_path: Path) -> None:
    root = plant(
        tmp_path,
        "flow.py",
        "data/raw.py",
        "generated_pb2.py",
        "sub/out/x.py",
        "sub/a.py",
        git="data/\n*_pb2.py",
    )
    plant(root / "sub", git="out\n")
    plan = plan_of(root)
    assert shipped(plan) == ["flow.py", "generated_pb2.py", "sub/a.py"]
    assert rules(plan) == {"data/": ".gitignore: data/", "sub/out/": "sub/.gitignore: out"}


def test_gitignore_above_the_flow_counts_up_to_the_repository(tmp_path: Path) -> None:
    plant(tmp_path, git="x/\n")  # above the repository: not asked
    plant(tmp_path / "repo", ".git/HEAD", git="flows/data/\nflows/\n!flows/sub/\n")
    root = plant(tmp_path / "repo/flows", "flow.py", "data/a.py", "x/b.py")
    # Its own folder is ignored by a rule, which was not meant for what runs in it.
    assert shipped(plan_of(root)) == ["data/a.py", "flow.py", "x/b.py"]
    (tmp_path / "repo/.gitignore").write_text("flows/data/\n")
    assert shipped(plan_of(root)) == ["flow.py", "x/b.py"]
    assert rules(plan_of(root)) == {"data/": f"{tmp_path}/repo/.gitignore: flows/data/"}


def test_an_import_brings_a_git_ignored_package_back_whole(tmp_path: Path) -> None:
    root = plant(
        tmp_path,
        "flow.py",
        "gen/pb/__init__.py",
        "gen/pb/a.py",
        "gen/pb/lazy/b.py",
        "gen/other/c.py",
        git="gen/\n",
    )
    plan = plan_of(root, modules=loaded(gen=root / "gen", gen__pb=root / "gen/pb/__init__.py"))
    assert shipped(plan) == ["flow.py", "gen/pb/__init__.py", "gen/pb/a.py", "gen/pb/lazy/b.py"]
    assert rules(plan) == {"gen/other/": ".gitignore: gen/"}


def test_our_own_ignore_file_decides_both_ways(tmp_path: Path) -> None:
    root = plant(
        tmp_path, "flow.py", "big/a.py", "notes.py", "data/b.py", ".conf/c.py", ".env.py",
        ours="big/\nnotes.py\n!data/\n!.conf/\n!.env.py\n", git="data/\n",
    )  # fmt: skip
    plan = plan_of(root, modules=loaded(big=root / "big", big__a=root / "big/a.py", notes=root / "notes.py"))
    assert shipped(plan) == [".conf/c.py", ".env.py", "data/b.py", "flow.py"]
    assert [(one.path, one.rule, one.imported) for one in plan.left_out] == [
        ("big/", ".headwayignore: big/", True),
        ("notes.py", ".headwayignore: notes.py", True),
    ]


def test_an_import_folder_below_the_flow_is_one_in_the_pod(tmp_path: Path) -> None:
    root = plant(tmp_path, "flow.py", "src/pkg/__init__.py", "util/tool.py")
    plan = plan_of(root, modules=loaded(pkg=root / "src/pkg/__init__.py", tool=root / "util/tool.py"))
    assert shipped(plan) == ["flow.py", "src/pkg/__init__.py", "util/tool.py"]
    assert plan.paths == ("src", "util")
    assert plan.packages == ()


def test_packages_from_elsewhere_ship_whole(tmp_path: Path) -> None:
    root = plant(tmp_path / "flows", "flow.py")
    lib = plant(
        tmp_path / "lib/src",
        "pkg/__init__.py",
        "pkg/a.py",
        "pkg/sub/__init__.py",
        "other/__init__.py",
        "one.py",
    )
    plant(lib / "pkg", "data/x.py", "__pycache__/a.py", git="data/\n")
    modules = loaded(pkg=lib / "pkg/__init__.py", pkg__a=lib / "pkg/a.py", one=lib / "one.py")
    plan = plan_of(root, modules=modules)
    from_there = ["one.py", "pkg/__init__.py", "pkg/a.py", "pkg/sub/__init__.py"]
    assert shipped(plan) == [*(f"{IMPORTS}/{name}" for name in from_there), "flow.py"]
    assert plan.packages == ("one", "pkg")
    assert plan.paths == (IMPORTS,)
    assert rules(plan) == {f"{lib}/pkg/data/": ".gitignore: data/"}


def test_of_a_namespace_package_only_the_imported_members_ship(tmp_path: Path) -> None:
    root = plant(tmp_path / "flows", "flow.py", "corp/here.py")
    one = plant(tmp_path / "one", "corp/a/__init__.py", "corp/a/x.py", "corp/unused/__init__.py")
    two = plant(tmp_path / "two", "corp/b.py", "corp/deep/c/__init__.py")
    modules = [
        LoadedModule("corp", None, (one / "corp", two / "corp", root / "corp")),
        LoadedModule("corp.deep", None, (two / "corp/deep",)),
        *loaded(
            corp__a=one / "corp/a/__init__.py", corp__a__x=one / "corp/a/x.py", corp__b=two / "corp/b.py"
        ),
        *loaded(corp__deep__c=two / "corp/deep/c/__init__.py", corp__here=root / "corp/here.py"),
    ]
    plan = plan_of(root, modules=modules)
    assert shipped(plan) == [
        f"{IMPORTS}/corp/a/__init__.py", f"{IMPORTS}/corp/a/x.py", f"{IMPORTS}/corp/b.py",
        f"{IMPORTS}/corp/deep/c/__init__.py", "corp/here.py", "flow.py",
    ]  # fmt: skip
    assert plan.packages == ("corp.a", "corp.b", "corp.deep.c")
    assert plan.paths == (IMPORTS,)


def test_a_flow_inside_a_package_that_it_imports_ships_the_package(tmp_path: Path) -> None:
    package = plant(tmp_path / "pkg", "__init__.py", "flow.py", "util.py")
    plan = plan_of(package, modules=loaded(pkg=package / "__init__.py", pkg__util=package / "util.py"))
    assert shipped(plan) == [
        f"{IMPORTS}/pkg/__init__.py", f"{IMPORTS}/pkg/flow.py", f"{IMPORTS}/pkg/util.py",
        "__init__.py", "flow.py", "util.py",
    ]  # fmt: skip


def test_a_package_whose_folder_has_another_name_is_found_in_the_pod(tmp_path: Path) -> None:
    root = plant(tmp_path, "flow.py", "lib/__init__.py")
    plan = plan_of(root, modules=loaded(pkg=root / "lib/__init__.py"))
    assert shipped(plan) == [f"{IMPORTS}/pkg/__init__.py", "flow.py", "lib/__init__.py"]


def test_own_code_in_a_folder_that_never_ships_is_found_in_the_pod(tmp_path: Path) -> None:
    root = plant(tmp_path, "flow.py", ".gen/stub.py", "env/pyvenv.cfg", "env/src/tool/__init__.py")
    plan = plan_of(root, modules=loaded(stub=root / ".gen/stub.py", tool=root / "env/src/tool/__init__.py"))
    assert shipped(plan) == [f"{IMPORTS}/stub.py", f"{IMPORTS}/tool/__init__.py", "flow.py"]
    assert not [one for one in plan.left_out if one.imported]


def test_installed_modules_and_headway_itself_do_not_ship(tmp_path: Path) -> None:
    root = plant(tmp_path / "flows", "flow.py", "env/lib/python3.11/site-packages/numpy/__init__.py")
    python = plant(tmp_path / "python", "json.py", "headway/__init__.py", "debugpy.py")
    numpy = root / "env/lib/python3.11/site-packages/numpy/__init__.py"
    modules = [
        *loaded(numpy=numpy, json=python / "json.py"),
        LoadedModule("__main__", root / "flow.py"),
        LoadedModule("zipfile", Path("/usr/lib/python311.zip/zipfile.py")),
    ]
    code = Code("path", "flow.py", ("__main__", "F"), root=str(root))
    plan = collect(code, modules=modules, installed=[python])
    assert plan.packages == ()
    ours = loaded(
        headway=python / "headway/__init__.py",
        headway__cli=python / "headway/cli.py",
        debugpy=python / "debugpy.py",
    )
    assert collect(code, modules=ours, installed=[]).packages == ()


def test_what_was_compiled_or_zipped_is_told(tmp_path: Path) -> None:
    root = plant(
        tmp_path / "flows", "flow.py", "fast/__init__.py", "fast/inner.cpython-311-x86_64-linux-gnu.so"
    )
    lib = plant(tmp_path / "lib", "speed.abi3.so")
    modules = loaded(
        fast=root / "fast/__init__.py", fast__inner=root / "fast/inner.cpython-311-x86_64-linux-gnu.so",
        speed=lib / "speed.abi3.so", egg=lib / "x.egg/egg/__init__.py",
    )  # fmt: skip
    plan = plan_of(root, modules=modules)
    assert [(one.path, one.rule) for one in plan.left_out if one.imported] == [
        (f"{lib}/speed.abi3.so", "compiled for this machine"),
        (f"{lib}/x.egg/egg", "inside an archive"),
        ("fast/inner.cpython-311-x86_64-linux-gnu.so", "compiled for this machine"),
    ]
    assert plan.paths == ()
    with_them = plan_of(root, ".so", modules=modules)
    assert f"{IMPORTS}/speed.abi3.so" in shipped(with_them)
    assert "fast/inner.cpython-311-x86_64-linux-gnu.so" in shipped(with_them)


def test_a_module_ships_the_folder_of_its_outermost_package(tmp_path: Path) -> None:
    root = plant(tmp_path, "pkg/__init__.py", "pkg/flow.py", "beside.py")
    code = Code("module", "pkg.flow", ("__main__", "F"), root=str(root))
    plan = collect(code, modules=loaded(pkg=root / "pkg/__init__.py"), installed=[])
    assert shipped(plan) == ["beside.py", "pkg/__init__.py", "pkg/flow.py"]


def test_of_a_flow_that_was_installed_ships_its_package(tmp_path: Path) -> None:
    root = plant(tmp_path / "site-packages", "pkg/__init__.py", "pkg/flow.py", "numpy/__init__.py", "six.py")
    code = Code("module", "pkg.flow", ("__main__", "F"), root=str(root))
    plan = collect(code, modules=loaded(pkg=root / "pkg/__init__.py", six=root / "six.py"), installed=[])
    assert shipped(plan) == ["pkg/__init__.py", "pkg/flow.py"]


def test_a_flow_without_a_file_ships_its_text_and_what_it_imported(tmp_path: Path) -> None:
    root = plant(tmp_path, "unrelated.py", "mine.py", "pkg/__init__.py", "pkg/a.py")
    modules = loaded(mine=root / "mine.py", pkg=root / "pkg/__init__.py")
    code = Code("source", "typed.py", ("__main__", "F"), root=str(root))
    plan = collect(code, modules=modules, installed=[], extra={"typed.py": b"print()"})
    assert shipped(plan) == [
        f"{IMPORTS}/mine.py",
        f"{IMPORTS}/pkg/__init__.py",
        f"{IMPORTS}/pkg/a.py",
        "typed.py",
    ]
    assert plan.size == 7


def test_links_to_folders_are_followed_inside_the_tree_but_never_in_circles(tmp_path: Path) -> None:
    root = plant(tmp_path / "flows", "flow.py", "real/a.py", "left/x.py", "right/y.py")
    outside = plant(tmp_path / "outside", "b.py")
    for link, target in {
        "alias": root / "real", "self": root, "up": tmp_path, "real/back": root / "real", "out": outside,
        "left/to_right": root / "right", "right/to_left": root / "left",
    }.items():  # fmt: skip
        (root / link).symlink_to(target)
    plan = plan_of(root)
    assert shipped(plan) == [
        "alias/a.py", "flow.py", "left/to_right/y.py", "left/x.py", "real/a.py", "right/to_left/x.py",
        "right/y.py",
    ]  # fmt: skip
    told = rules(plan)
    assert told["self/"] == told["real/back/"].replace("/real", "") == f"a link in a circle, to {root}"
    assert told["up/"] == f"a link in a circle, to {tmp_path}"
    assert told["out/"] == f"a link out of the flow's folder, to {outside}"
    assert "left/to_right/to_left/" in told


def test_a_link_out_of_the_tree_ships_when_it_is_imported_or_named(tmp_path: Path) -> None:
    root = plant(tmp_path / "flows", "flow.py")
    shared = plant(tmp_path / "shared", "a.py", "b.py")
    (root / "common").symlink_to(shared)
    assert rules(plan_of(root)) == {"common/": f"a link out of the flow's folder, to {shared}"}
    imported = plan_of(root, modules=loaded(**{"common.a": root / "common/a.py"}))
    assert shipped(imported) == ["common/a.py", "common/b.py", "flow.py"]
    plant(root, ours="!common/\n")
    assert shipped(plan_of(root)) == shipped(imported)


def test_a_link_to_a_package_ships_for_the_steps_that_import_it(tmp_path: Path) -> None:
    root = plant(tmp_path / "flows", "flow.py")
    shared = plant(tmp_path / "shared", "__init__.py", "a.py", "parts/__init__.py")
    (root / "common").symlink_to(shared)
    assert shipped(plan_of(root)) == [
        "common/__init__.py", "common/a.py", "common/parts/__init__.py", "flow.py",
    ]  # fmt: skip
    plant(root, ours="common/\n")
    assert shipped(plan_of(root)) == ["flow.py"]


def test_links_to_files_ship_what_they_show(tmp_path: Path) -> None:
    root = plant(tmp_path / "flows", "flow.py")
    plant(tmp_path, "target.py").joinpath("target.py").write_text("x = 1")
    (root / "a.py").symlink_to(tmp_path / "target.py")
    (root / "b.py").symlink_to(tmp_path / "gone.py")
    os.mkfifo(root / "c.py")
    plan = plan_of(root)
    assert [(file.path, file.size) for file in plan.files] == [("a.py", 5), ("flow.py", 0)]
    assert rules(plan) == {"b.py": "a link to nothing", "c.py": "not a plain file"}


def test_imports_under_another_spelling_of_the_path_are_the_flows_own(tmp_path: Path) -> None:
    root = plant(tmp_path / "flows", "flow.py", "lib.py")
    (tmp_path / "link").symlink_to(root)
    plan = plan_of(tmp_path / "link", modules=loaded(lib=root / "lib.py"))
    assert shipped(plan) == ["flow.py", "lib.py"]
    assert plan.paths == ()


def test_a_folder_too_large_to_be_meant_is_an_error(tmp_path: Path) -> None:
    root = plant(tmp_path, "flow.py", *(f"data/{number}.csv" for number in range(20)))
    with pytest.raises(UsageError, match="more than 10 files") as caught:
        Walk(root, (".py",), limit=10).run()
    assert str(root / ".headwayignore") in str(caught.value.hint)
    plant(root, ours="data/\n")
    assert [file.path for file in Walk(root, (".py",), limit=10).run().files] == ["flow.py"]


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    root = plant(tmp_path, "flow.py", "closed/a.py")
    (root / "closed").chmod(0)
    try:
        plan = plan_of(root)
    finally:
        (root / "closed").chmod(0o755)
    if os.geteuid() == 0:  # who may read everything is told nothing
        assert shipped(plan) == ["closed/a.py", "flow.py"]
    else:
        assert rules(plan) == {"closed/": "cannot be read: Permission denied"}


@pytest.mark.parametrize(
    ("text", "suffixes"),
    [
        ("", (".py", ".R", ".RDS")),
        (".py,.csv", (".py", ".R", ".RDS", ".csv")),
        (" yaml , .json", (".py", ".R", ".RDS", ".yaml", ".json")),
        ("*", (".py", ".R", ".RDS", "")),
    ],
)
def test_suffixes_as_people_write_them(text: str, suffixes: tuple[str, ...]) -> None:
    assert parse_suffixes(text) == suffixes
