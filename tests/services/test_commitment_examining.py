"""What may be promised: only what is here, whole, under the class that the peer says."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from radfuse.archive import Archive, ArchiveSettings
from radfuse.db import write_transaction
from radfuse.services import import_media
from radfuse.services.commitment import Reference
from radfuse.services.commitment.examining import examine
from radfuse.services.commitment.model import (
    CLASS_CONFLICT,
    CLASS_NOT_SUPPORTED,
    COMMITTED,
    NO_SUCH_INSTANCE,
    PROCESSING_FAILURE,
    RESOURCE_LIMITATION,
)
from radfuse.services.forget import forget_objects
from radfuse.services.stored_objects import objects_named
from tests.support.generate import CT_IMAGE, MR_IMAGE, GeneratedSet

UIDS = [f"2.25.7100.1.{number}" for number in range(1, 6)]
ALL = [Reference(CT_IMAGE, uid) for uid in UIDS]


@pytest.fixture
def filled(archive: Archive, generated_set: GeneratedSet) -> Archive:
    assert len(list(import_media.import_files(archive, generated_set.ct))) == 5
    archive.settle()
    with write_transaction(archive.engine) as connection:  # a file may be missing only for moments after arrival
        connection.execute(text("UPDATE instance SET arrived_s = arrived_s - 60"))
    return archive


def path_of(archive: Archive, uid: str) -> Path:
    return archive.path_of(objects_named(archive, [uid])[uid])


def reasons(archive: Archive, *references: Reference) -> list[int | None]:
    outcomes = examine(archive, references, lambda: False)
    assert outcomes is not None
    assert [outcome.reference for outcome in outcomes] == list(references)
    return [outcome.reason for outcome in outcomes]


def test_what_has_just_arrived_is_committed(archive: Archive, generated_set: GeneratedSet) -> None:
    assert len(list(import_media.import_files(archive, generated_set.ct))) == 5
    assert reasons(archive, *ALL) == [COMMITTED] * 5


@pytest.mark.parametrize("position", [0, 140, 200, -1])
def test_one_flipped_bit_anywhere_in_the_data_set_is_never_committed(filled: Archive, position: int) -> None:
    path = path_of(filled, UIDS[0])
    content = bytearray(path.read_bytes())
    start = len(content) - objects_named(filled, UIDS)[UIDS[0]].size_bytes
    content[start + position if position >= 0 else position] ^= 1
    path.chmod(0o640)
    path.write_bytes(content)
    assert reasons(filled, *ALL[:2]) == [PROCESSING_FAILURE, COMMITTED]


@pytest.mark.parametrize("size", [0, 100, -1])
def test_a_truncated_file_is_never_committed(filled: Archive, size: int) -> None:
    path = path_of(filled, UIDS[0])
    content = path.read_bytes()
    path.chmod(0o640)
    path.write_bytes(content[:size])
    assert reasons(filled, ALL[0]) == [PROCESSING_FAILURE]


def test_a_lost_file_is_no_object(filled: Archive) -> None:
    path_of(filled, UIDS[0]).unlink()
    assert reasons(filled, ALL[0]) == [NO_SUCH_INSTANCE]


def test_a_file_that_cannot_be_read_now_is_a_limit_of_ours(filled: Archive) -> None:
    path = path_of(filled, UIDS[0])
    path.unlink()
    path.symlink_to(path)  # the open fails, and not because nothing is there
    assert reasons(filled, ALL[0]) == [RESOURCE_LIMITATION]


def test_another_class_and_an_unknown_one_are_told_apart(filled: Archive) -> None:
    asked = [Reference(MR_IMAGE, UIDS[0]), Reference(MR_IMAGE, "1.2.3"), Reference("1.2.3.4", "1.2.3")]
    assert reasons(filled, *asked) == [CLASS_CONFLICT, NO_SUCH_INSTANCE, CLASS_NOT_SUPPORTED]


def test_looking_ends_when_it_is_told_to(filled: Archive) -> None:
    asked = iter([False, False, True])
    assert examine(filled, ALL, lambda: next(asked)) is None


def test_what_is_deleted_while_we_look_is_not_committed(filled: Archive) -> None:
    objects = list(objects_named(filled, UIDS[:1]).values())

    def is_asked_before_the_second() -> bool:
        if not gone:
            gone.append(False)
        elif not gone[-1]:
            gone.append(bool(forget_objects(filled, objects).objects))
        return False

    gone: list[bool] = []
    outcomes = examine(filled, ALL[:2], is_asked_before_the_second)
    assert gone == [False, True]
    assert outcomes is not None
    assert [outcome.reason for outcome in outcomes] == [NO_SUCH_INSTANCE, COMMITTED]


def test_what_will_be_deleted_is_not_committed_unless_it_stays_after_all(filled: Archive) -> None:
    leaving = list(objects_named(filled, UIDS[:1]).values())
    filled.mark_leaving(leaving)
    assert reasons(filled, *ALL[:2]) == [PROCESSING_FAILURE, COMMITTED]
    filled.unmark_leaving(leaving)
    assert reasons(filled, *ALL[:2]) == [COMMITTED, COMMITTED]


def test_what_is_marked_while_we_look_is_not_committed(filled: Archive) -> None:
    asked: list[bool] = []

    def mark() -> bool:
        asked.append(True)
        if len(asked) == 2:
            filled.mark_leaving(objects_named(filled, UIDS[:1]).values())
        return False

    outcomes = examine(filled, ALL[:2], mark)
    assert outcomes is not None
    assert [outcome.reason for outcome in outcomes] == [PROCESSING_FAILURE, COMMITTED]


def test_a_rebuilt_index_knows_the_same_objects(archive: Archive, generated_set: GeneratedSet) -> None:
    assert len(list(import_media.import_files(archive, generated_set.ct))) == 5
    before = {uid: stored.digest for uid, stored in objects_named(archive, UIDS).items()}
    archive.close()
    folder = archive.settings.folder
    for path in folder.glob("index.sqlite*"):
        path.unlink()
    with Archive(ArchiveSettings(folder)) as rebuilt:
        assert {uid: stored.digest for uid, stored in objects_named(rebuilt, UIDS).items()} == before
        assert reasons(rebuilt, *ALL) == [COMMITTED] * 5
