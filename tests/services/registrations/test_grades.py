"""Grades out of report cards: those of the registration they judge, and of no other object."""

from __future__ import annotations

from radfuse.archive import Archive, StoredObject
from radfuse.registration import quality
from radfuse.services.forget import forget_objects
from radfuse.services.register import codes
from radfuse.services.registrations import Grade, Grading, kept_registrations
from radfuse.services.registrations import grades as ours
from radfuse.services.registrations.memory import Memory
from tests.support.graphs import Scene, shift


def graded(archive: Archive) -> dict[str, Grading]:
    return {kept.sop_instance_uid: kept.grading for kept in kept_registrations(archive)}


def test_the_words_and_codes_are_those_of_the_report_card() -> None:
    assert [grade.value for grade in Grade] == [grade.value for grade in quality.Grade]
    for concept, value in (
        (codes.JUDGED_REGISTRATION, ours.JUDGED),
        (codes.GRADE, ours.GRADE),
        (codes.GRADE_REASON, ours.REASON),
    ):
        assert (concept.value, concept.scheme) == (value, ours.SCHEME)
    assert {code.value for code in codes.GRADES.values()} == {grade.name for grade in Grade}


def test_a_card_grades_its_registration_alone(archive: Archive) -> None:
    scene = Scene(archive)
    judged, other = scene.register("ct", "mr", shift(1)), scene.register("ct", "pet", shift(1))
    assert graded(archive) == {judged: Grading(), other: Grading()}
    card = scene.judge(judged, "CAUTION", "it overlaps by 20 %")
    assert graded(archive) == {judged: Grading(Grade.CAUTION, "it overlaps by 20 %", card), other: Grading()}
    scene.judge(other, "NOT JUDGED", "nothing was measured")
    assert graded(archive)[other].grade is Grade.NOT_JUDGED
    scene.judge(other, "SPLENDID", "a word that nobody knows")
    assert graded(archive)[other].grade is Grade.NOT_JUDGED


def test_a_card_that_is_deleted_grades_nothing_any_more(archive: Archive) -> None:
    scene = Scene(archive)
    judged = scene.register("ct", "mr", shift(1))
    card = scene.judge(judged, "FAIL")
    assert graded(archive)[judged].grade is Grade.FAIL
    forget_objects(archive, [scene.stored(card)])
    assert graded(archive)[judged] == Grading()


def test_what_is_remembered_is_bounded_and_of_small_objects_alone() -> None:
    memory: Memory[int] = Memory()
    asked = []

    def find(value: int, is_lasting: bool = True) -> tuple[int, bool]:
        asked.append(value)
        return value, is_lasting

    def of(value: int, size_bytes: int = 100, is_lasting: bool = True) -> int:
        stored = StoredObject("", "", "", b"", size_bytes, value.to_bytes(4, "big"))
        return memory.of(stored, lambda: find(value, is_lasting))

    assert [of(1), of(1), of(2, 1 << 20), of(2, 1 << 20), of(3, is_lasting=False), of(3)] == [1, 1, 2, 2, 3, 3]
    assert asked == [1, 2, 2, 3, 3]
    for value in range(1000, 2000):
        of(value)
    asked.clear()
    assert (of(1999), of(1), asked) == (1999, 1, [1])


def test_reports_of_others_and_damaged_ones_say_nothing(archive: Archive) -> None:
    scene = Scene(archive)
    judged = scene.register("ct", "mr", shift(1))
    for ruin in ("ContentSequence", "CurrentRequestedProcedureEvidenceSequence"):
        scene.judge(judged, "FAIL", ruin=ruin)
    assert graded(archive) == {judged: Grading()}
