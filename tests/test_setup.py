"""The set-up: what `make` does before anything of Leaver runs."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DEPLOY = ROOT / "config/deploy/requirements.txt"
TESTS = ROOT / "tests/requirements.txt"
INSTALL = ROOT / ".ci/requirements.txt"


def pins(path):
    """What a requirements file pins, as {"flask": "3.1.3"}; without the extras."""
    return dict(
        re.findall(r"^([\w.-]+)(?:\[[\w,.-]+\])?==([\w.]+)", path.read_text(), flags=re.MULTILINE)
    )


@pytest.mark.parametrize("path", [DEPLOY, TESTS, INSTALL], ids=["deploy", "tests", "install"])
def test_every_pin_has_a_hash_and_none_an_address(path):
    """Whoever answers a download, what gets installed is what was reviewed."""
    entries = re.split(r"\n(?=\w)", path.read_text())

    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in path.read_text()


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        (DEPLOY, PYPROJECT["project"]["dependencies"] + PYPROJECT["dependency-groups"]["build"]),
        (TESTS, PYPROJECT["dependency-groups"]["test"]),
        (INSTALL, PYPROJECT["dependency-groups"]["install"]),
    ],
    ids=["deploy", "tests", "install"],
)
def test_the_pins_are_what_pyproject_asks_for(path, wanted):
    """A dependency added without `make lock` would be missing on every machine but one."""
    pinned = pins(path)

    requirements = [Requirement(text) for text in wanted]

    assert [
        str(requirement)
        for requirement in requirements
        if pinned.get(requirement.name) not in requirement.specifier
    ] == []


def test_tests_run_with_the_versions_that_are_deployed():
    """A package in both files is the same in both."""
    deployed, tested = pins(DEPLOY), pins(TESTS)

    assert {
        name: (deployed[name], tested[name])
        for name in deployed.keys() & tested.keys()
        if deployed[name] != tested[name]
    } == {}


# Says what it is told to be, makes environments and uv of itself, and notes what is installed.
FAKE_PYTHON = """\
#!/bin/sh
case "$*" in
    --version) echo "Python $VERSION" ;;
    *"sys.version_info < (3, 11)"*) [ "$VERSION" != 3.9.2 ] ;;
    "-m venv --clear "*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python" && echo made >>log ;;
    *" --target .venv/.uv "*)
        [ ! -e offline ] && mkdir -p .venv/.uv/bin && cp "$0" .venv/.uv/bin/uv ;;
    "pip install "*) [ ! -e mirrored ] && echo installed >>log ;;
    "-m pip install "*) [ ! -e offline ] && echo installed >>log ;;
esac
"""


class Project:
    """A copy of what .ci/venv reads, where every Python on the PATH is FAKE_PYTHON."""

    def __init__(self, folder):
        self.folder = folder
        (folder / ".ci").mkdir()
        shutil.copy(ROOT / ".ci/venv", folder / ".ci")
        for name in ("pyproject.toml", "deploy.txt", "tests.txt"):
            (folder / name).write_text("first")
        (folder / "bin").mkdir()
        for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
            (folder / "bin" / name).write_text(FAKE_PYTHON)
            (folder / "bin" / name).chmod(0o755)

    def venv(self, *requirements, version="3.12.1"):
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return subprocess.run(
            [self.folder / ".ci/venv", ".venv", *requirements],
            env={**os.environ, "PATH": path, "VERSION": version},
            capture_output=True,
            text=True,
        )

    def done(self):
        """What was done since the last time this was asked."""
        log = self.folder / "log"
        lines = log.read_text().split() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_an_environment_is_made_once_and_then_left_alone(project):
    """The second `make demo` starts at once, and without a network."""
    project.venv("deploy.txt")
    first = project.done()

    project.venv("deploy.txt")

    assert (first, project.done()) == (["made", "installed", "installed"], [])


@pytest.mark.parametrize("changed", ["pyproject.toml", "deploy.txt"])
def test_a_changed_requirement_is_installed_into_the_same_environment(project, changed):
    """After `git pull` nobody has to know that the requirements changed."""
    project.venv("deploy.txt")
    project.done()

    (project.folder / changed).write_text("second")
    project.venv("deploy.txt")

    assert project.done() == ["installed", "installed"]


def test_what_only_tests_need_does_not_disturb_the_rest(project):
    """`make install` after `make test` has nothing to do."""
    project.venv("deploy.txt", "tests.txt")
    project.done()

    project.venv("deploy.txt")

    assert project.done() == []


def test_an_installation_that_failed_is_tried_again(project):
    """A network that broke off leaves no environment that looks finished."""
    (project.folder / "offline").touch()
    failed = project.venv("deploy.txt")
    project.done()

    (project.folder / "offline").unlink()
    project.venv("deploy.txt")

    assert failed.returncode != 0
    assert project.done() == ["installed", "installed"]


def test_pip_installs_what_uv_cannot(project):
    """Where a mirror is, companies tell pip."""
    (project.folder / "mirrored").touch()

    result = project.venv("deploy.txt")

    assert (result.returncode, project.done()) == (0, ["made", "installed", "installed"])


def test_a_moved_project_gets_a_new_environment(project):
    """The scripts of an environment hold its path: a copy would start the original's Python."""
    project.venv("deploy.txt")
    project.done()

    moved = project.folder.with_name("moved")
    project.folder = project.folder.rename(moved)
    project.venv("deploy.txt")

    assert project.done() == ["made", "installed", "installed"]


def test_an_old_python_is_refused_in_one_clear_line(project):
    """Not an error from deep inside an installer."""
    result = project.venv("deploy.txt", version="3.9.2")

    assert result.returncode != 0
    assert result.stderr.splitlines() == [
        "Leaver needs Python 3.11 or newer, and this machine has Python 3.9.2."
        " Install python3.11 or newer."
    ]


@pytest.fixture(scope="module")
def suite():
    """The program behind `make test`, as a module."""
    spec = importlib.util.spec_from_file_location("suite", ROOT / ".ci/test.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["suite"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["suite"]


def test_interpreters_are_found_behind_what_does_not_work(suite, tmp_path):
    """A version manager's shim that only says "not found" hides the real thing further on."""

    def python(folder, name, *, works):
        (tmp_path / folder).mkdir(exist_ok=True)
        program = tmp_path / folder / name
        program.write_text("#!/bin/sh\n" + ("exit 0" if works else "exit 127"))
        program.chmod(0o755)
        return program

    python("shims", "python3.12", works=False)
    real_312 = python("versions", "python3.12", works=True)
    first_313 = python("shims", "python3.13", works=True)
    python("versions", "python3.13", works=True)
    python("versions", "python3.10", works=True)
    python("versions", "python3.13-config", works=True)

    found = suite.interpreters([tmp_path / "shims", tmp_path / "versions", tmp_path / "nowhere"])

    assert found == {"3.12": real_312, "3.13": first_313}


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_of_somebody_else_on_the_path_is_passed_over(suite, tmp_path):
    """`su` leaves the PATH of root to an ordinary user."""
    (tmp_path / "closed").mkdir(mode=0)

    assert suite.interpreters([tmp_path / "closed" / "bin", tmp_path / "closed"]) == {}


def test_errors_count_as_failed(suite, tmp_path):
    """The last line of `make test` is what people and machines believe."""
    junit = tmp_path / "junit.xml"
    junit.write_text(
        '<testsuites><testsuite tests="10" failures="1" errors="2" skipped="3"/></testsuites>'
    )

    count = suite.Count.read(junit)

    assert str(count + count) == "8 passed, 6 failed, 6 skipped"
