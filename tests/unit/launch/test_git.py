"""What a repository says of the code that is run, read from files that git itself wrote."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from headway.launch.git import git_facts, git_info

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *words: str) -> str:
    settings = ["-c", "user.name=ann", "-c", "user.email=ann@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *settings, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    git(folder, "remote", "add", "origin", "https://ann:secret@example.org/ann/flows.git")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "First.")
    return folder


def test_commit_branch_and_origin_without_its_password(repository: Path) -> None:
    (repository / "flows").mkdir()
    assert git_info(repository / "flows") == {
        "commit_sha": git(repository, "rev-parse", "HEAD"),
        "branch_name": "main",
        "repo_url": "https://example.org/ann/flows.git",
    }
    assert json.loads(git_facts(repository)["git-info"])["branch_name"] == "main"


def test_a_packed_branch_a_detached_head_and_another_work_tree(repository: Path, tmp_path: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    git(repository, "pack-refs", "--all")
    assert git_info(repository)["commit_sha"] == commit
    other = tmp_path / "other"
    git(repository, "worktree", "add", "--quiet", "-b", "trial/one", str(other))
    assert (git_info(other)["branch_name"], git_info(other)["commit_sha"]) == ("trial/one", commit)
    git(repository, "checkout", "--quiet", "--detach")
    assert git_info(repository) == {"commit_sha": commit, "repo_url": "https://example.org/ann/flows.git"}


def test_outside_of_a_repository_and_in_a_broken_one_nothing_is_told(tmp_path: Path) -> None:
    assert git_facts(tmp_path) == {}
    (tmp_path / ".git").mkdir()
    assert git_facts(tmp_path) == {}
    (tmp_path / ".git" / "HEAD").write_bytes(b"\xff\xfe")
    assert git_facts(tmp_path) == {}
