"""What tests build on: the generated study is readable DICOM, the databases are those of the migrations."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from alembic import command

from radfuse.core.sop_classes import STORAGE_CLASS_NAMES
from radfuse.db import Schema, create_database_engine, prepare_schema, sqlite_url
from tests.support import schemas
from tests.support.generate import PATIENT_ID, STUDY_UID, GeneratedSet


def test_every_generated_file_is_a_different_instance_of_one_study(generated_set: GeneratedSet) -> None:
    read = [pydicom.dcmread(path) for path in generated_set.files]
    assert len({ds.SOPInstanceUID for ds in read}) == len(generated_set.files) == 19
    assert {ds.StudyInstanceUID for ds in read} == {STUDY_UID}
    assert {ds.PatientID for ds in read} == {PATIENT_ID}
    assert {ds.SOPClassUID for ds in read} <= set(STORAGE_CLASS_NAMES)


@pytest.mark.peers
def test_dcmtk_reads_every_generated_file(generated_set: GeneratedSet, dcmtk: Callable[[str], str]) -> None:
    for path in generated_set.files:
        subprocess.run([dcmtk("dcmdump"), "-q", str(path)], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("schema", Schema)
def test_a_database_that_is_written_at_once_is_the_one_that_the_migrations_make(
    schema: Schema, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the identity of an index, which is its own."""

    def made(name: str) -> list[str]:
        engine = create_database_engine(sqlite_url(tmp_path / name))
        prepare_schema(engine, schema)
        engine.dispose()
        with contextlib.closing(sqlite3.connect(tmp_path / name)) as database:
            return [line for line in database.iterdump() if not line.startswith('INSERT INTO "index_identity"')]

    first, second = made("first"), made("second")
    dumped = [sqlite3.connect(tmp_path / name) for name in ("first", "second")]
    if schema is Schema.INDEX:
        assert len({each.execute("SELECT identity FROM index_identity").fetchall()[0] for each in dumped}) == 2
    for each in dumped:
        each.close()
    monkeypatch.setattr(command, "upgrade", schemas.migrate)
    assert first == second == made("migrated")
