"""`make check`, then the whole test suite on every Python from 3.11 on that this machine offers.

The interpreter behind .venv runs everything.  Each other one gets an environment of its own
(.venv-3.12), made while the check runs, and runs every test once, with its first case, and of a
conformance suite with its first kind, but those with the marks in LEFT_OUT_ELSEWHERE, which take
minutes and depend on the version least.  These run side by side.  The newest interpreter reports
the coverage of what it runs in the tests' own processes.  One line for each interpreter tells what
it ran; the last line of all counts every run: "N passed, N failed, N skipped".  A run that broke
off is one more failed.

Standard library only, so that it starts before anything is installed.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ("config/deploy/requirements.txt", "tests/requirements.txt")
PROMISED = ("3.11", "3.12", "3.13", "3.14")
LEFT_OUT_ELSEWHERE = ("chaos", "exhaustive", "journey", "process", "server")
ELSEWHERE = ("--one-case", "-m", " and ".join(f"not {mark}" for mark in LEFT_OUT_ELSEWHERE))

#: How many tests run at once.  Those left out elsewhere mostly wait for processes and time-outs.
PROCESSORS = os.cpu_count() or 1
AT_ONCE = PROCESSORS + 4

#: For subprocess.run: output and errors as one text.
TOGETHER: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}


@dataclass(frozen=True, slots=True)
class Count:
    """Tests of one run or of many; an error in a fixture counts as failed."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"

    @classmethod
    def read(cls, junit: Path) -> "Count":
        """What pytest wrote with --junitxml."""
        suite = ElementTree.parse(junit).getroot().find("testsuite")  # noqa: S314  our own file
        if suite is None:
            raise ValueError(f"{junit} has no test suite")
        tests, failures, errors, skipped = (
            int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")
        )
        failed = failures + errors
        return cls(passed=tests - failed - skipped, failed=failed, skipped=skipped)


BROKEN_OFF = Count(failed=1)


def main() -> int:
    """Run everything, say what was run and what was not; 0 only if all of it passed."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    others = interpreters(folders_to_search())
    others.pop(here, None)
    untested = [version for version in PROMISED if version != here and version not in others]
    newest = max([here, *others], key=numbers)
    coverage = {newest: ("--cov", "--cov-report=term:skip-covered")}

    with ThreadPoolExecutor() as beside:
        made = {version: beside.submit(prepare, version, others[version]) for version in others}
        if subprocess.run(["make", "--no-print-directory", "check"], cwd=ROOT).returncode:
            return 1
        print(f"Testing on {', '.join([here, *others])}", flush=True)
        at_once = ("-n", str(AT_ONCE), "--dist", "worksteal")
        runs = [run(here, Path(sys.executable), *at_once, *coverage.get(here, ()))]
        elsewhere = [
            beside.submit(run_elsewhere, version, made[version], *coverage.get(version, ()))
            for version in others
        ]
        runs += [each.result() for each in elsewhere]

    print()
    for line, _ in runs:
        print(line)
    for version in untested:
        print(f"not tested: {version} (not on this machine)")
    total = sum((count for _, count in runs), Count())
    print(total)
    return 1 if total.failed else 0


def folders_to_search() -> Iterator[Path]:
    """Where interpreters may be: the PATH, where systems put them, and every version pyenv has.

    pyenv's own commands on the PATH only work for the versions chosen by hand, so its folders
    are searched themselves, newest first.
    """
    yield from map(Path, os.get_exec_path())
    yield from (Path("/usr/local/bin"), Path("/usr/bin"))
    try:
        pyenv = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return
    versions = Path(pyenv.stdout.strip(), "versions").glob("*/bin")
    yield from sorted(versions, key=lambda folder: numbers(folder.parent.name), reverse=True)


def interpreters(folders: Iterable[Path]) -> dict[str, Path]:
    """The first working interpreter of each version from 3.11 on, as {"3.12": path}, in order."""
    found: dict[str, Path] = {}
    for folder in folders:
        if not os.access(folder, os.R_OK | os.X_OK):
            continue  # Not there, or somebody else's on an inherited PATH.
        for python in folder.glob("python3.*"):
            version = python.name.removeprefix("python")
            if re.fullmatch(r"3\.\d+", version) is None or numbers(version) < (3, 11):
                continue
            if version not in found and can_make_environments(python):
                found[version] = python
    return dict(sorted(found.items(), key=lambda item: numbers(item[0])))


def numbers(version: str) -> tuple[int, ...]:
    """A version as something to sort by: "3.12.1" is (3, 12, 1)."""
    return tuple(map(int, re.findall(r"\d+", version)))


def can_make_environments(python: Path) -> bool:
    """False for a shim without its version, and for a Debian Python without its -venv package."""
    try:
        probe = subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True)
    except OSError:
        return False
    return probe.returncode == 0


def prepare(version: str, python: Path) -> subprocess.CompletedProcess[str]:
    """Bring the environment of another version up to date; what it says is for who waits for it."""
    command = [str(ROOT / ".ci/venv"), f".venv-{version}", *REQUIREMENTS]
    return subprocess.run(command, env={**os.environ, "PYTHON": str(python)}, text=True, **TOGETHER)


def run_elsewhere(
    version: str, made: Future[subprocess.CompletedProcess[str]], *options: str
) -> tuple[str, Count]:
    """Run one case of each test in the environment of another version."""
    ended = made.result()
    if ended.returncode:
        print(f"\n{version}: {ended.stdout}", flush=True)
        return f"{version}: its environment could not be made, see above", BROKEN_OFF
    python = ROOT / f".venv-{version}" / "bin/python"
    line, count = run(version, python, *ELSEWHERE, *options, aside=True)
    return (
        f"{line}, one case of each test, without the {', '.join(LEFT_OUT_ELSEWHERE)} tests",
        count,
    )


def run(version: str, python: Path, *options: str, aside: bool = False) -> tuple[str, Count]:
    """Run the suite in one environment: a line for the reader, and the count.

    What is run aside of others is shown when it has ended.
    """
    said = f"\n{version}: pytest {' '.join(options)}"
    print(f"{said}, aside" if aside else said, flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        junit = Path(folder, "junit.xml")
        command = [str(python), "-m", "pytest", "--quiet", f"--junitxml={junit}", *options]
        environment = os.environ | {"COVERAGE_FILE": f".coverage.{version}"}
        # Where Python has it (coverage says so where not), it measures in a tenth of the time.
        environment |= {"COVERAGE_CORE": "sysmon"} if numbers(version) >= (3, 12) else {}
        # Each process would compile everything anew.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        ended = subprocess.run(
            command, cwd=ROOT, env=environment, text=True, **(TOGETHER if aside else {})
        )
        count = Count.read(junit) if junit.exists() else None

    if aside:
        print(f"{said}\n{ended.stdout}", flush=True)
    took = f"{time.monotonic() - began:.0f} s"
    if count is None or (ended.returncode and not count.failed):
        return (
            f"{version}: pytest broke off after {took} (exit code {ended.returncode})",
            BROKEN_OFF,
        )
    return f"{version}: {count} in {took}", count


if __name__ == "__main__":
    sys.exit(main())
