"""Fixtures for every test: real data, real peers, generated data, free ports."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.generate import GeneratedSet, generate_set
from tests.support.ports import unused_port
from tests.support.schemas import written_at_once

# How long an example takes says how busy the machine is.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

_DEBIAN_PACKAGES = {
    "Orthanc": ("orthanc", ("/usr/sbin",)),
    "initdb": ("postgresql", ("/usr/lib/postgresql/17/bin", "/usr/lib/postgresql/15/bin")),
    "postgres": ("postgresql", ("/usr/lib/postgresql/17/bin", "/usr/lib/postgresql/15/bin")),
}
"""Program -> its Debian package and the folders outside the PATH where Debian keeps it."""


def _program(name: str) -> str:
    package, folders = _DEBIAN_PACKAGES.get(name, ("dcmtk", ()))
    # pynetdicom installs programs of the same names beside this interpreter.
    beside = str(Path(sys.executable).parent)
    path = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder != beside]
    found = shutil.which(name, path=os.pathsep.join([*path, *folders]))
    if found is None:
        pytest.skip(f"{name} is not installed (apt-get install {package})")
    return found


@pytest.fixture(scope="session", autouse=True)
def quick_schemas() -> Iterator[None]:
    """In this process, new databases are written at once: tests/support/schemas.py."""
    with written_at_once():
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real DICOM objects: RADFUSE_TEST_DATA, or shared/data beside the checkout."""
    named = os.environ.get("RADFUSE_TEST_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[1].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no folder of real DICOM objects (set RADFUSE_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def conformance_tables(shared_data: Path) -> Path:
    """The folder of requirement tables beside the real data."""
    folder = shared_data.parent / "conformance"
    if not folder.is_dir():
        pytest.skip("no folder of conformance tables beside the real data")
    return folder


@pytest.fixture(scope="session")
def generated_set(tmp_path_factory: pytest.TempPathFactory) -> GeneratedSet:
    """One small made-up patient with CT, PET, MR, SC, RTSTRUCT and a multi-frame object, as files.

    Shared by the whole session: read it, never change it.
    """
    return generate_set(tmp_path_factory.mktemp("generated"))


@pytest.fixture
def new_port() -> Callable[[], int]:
    """A maker of loopback TCP ports that nothing listens on."""
    return unused_port


@pytest.fixture
def free_port(new_port: Callable[[], int]) -> int:
    """A loopback TCP port that nothing listens on."""
    return new_port()


@pytest.fixture(scope="session")
def dcmtk() -> Callable[[str], str]:
    """From the name of a DCMTK tool to its path; the test is skipped when it is not installed."""
    return _program


@pytest.fixture(scope="session")
def orthanc() -> str:
    """The path of the Orthanc server; the test is skipped when it is not installed."""
    return _program("Orthanc")


@pytest.fixture(scope="session")
def postgresql() -> Path:
    """The folder of PostgreSQL's initdb and postgres; the test is skipped when they are not installed."""
    return Path(_program("initdb")).parent
