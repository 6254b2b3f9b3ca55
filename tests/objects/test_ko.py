"""Key objects, judged by dciodvfy, DCMTK and highdicom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from radfuse.core.errors import InvalidObject, UnreadableObject
from radfuse.objects.common import Code, Reference, encode, reference_to
from radfuse.objects.ko import KeyObjects, build_key_objects, read_key_objects
from radfuse.objects.ko.titles import OF_INTEREST, TITLES
from tests.objects.documents import IMAGES, PROVENANCE, SERIES, image, making, report_of
from tests.support import judges

_HERE = tuple(map(reference_to, IMAGES))
_OTHER = image(1, "CT", "2.25.200")
_ECG = Reference("1.2.840.10008.5.1.4.1.1.9.1.1", "2.25.71", "2.25.70", "2.25.100")
_REGISTRATION = Reference("1.2.840.10008.5.1.4.1.1.66.1", "2.25.81", "2.25.80", "2.25.100")


def _documents(selection: KeyObjects, *sources: Dataset) -> list[Dataset]:
    return build_key_objects(selection, sources, provenance=PROVENANCE, series=SERIES, making=making())


def test_dciodvfy_accepts_a_selection_and_dcmtk_reads_it(tmp_path: Path) -> None:
    references = (*_HERE, _ECG, _REGISTRATION)
    (ds,) = _documents(KeyObjects(references, description="for the board"), IMAGES[0])
    path = judges.written(ds, tmp_path)
    assert judges.dciodvfy(path) == []
    text = judges.dsrdump(path, "-q")
    assert '<contains TEXT:(,,"Key Object Description")="for the board">' in text
    assert text.count("(PI image,)") == 3
    assert text.count("WAVEFORM:") == text.count("COMPOSITE:") == 1


def test_highdicom_reads_a_selection(tmp_path: Path) -> None:
    from highdicom.ko import KeyObjectSelectionDocument

    (ds,) = _documents(KeyObjects(_HERE, description="for the board"), IMAGES[0])
    document: Any = KeyObjectSelectionDocument.from_dataset(pydicom.dcmread(judges.written(ds, tmp_path)))
    uids = {item.referenced_sop_instance_uid for item in document.content.get_references()}
    assert uids == {reference.sop_instance_uid for reference in _HERE}
    assert document.resolve_reference(_HERE[1].sop_instance_uid) == (
        _HERE[1].study_uid,
        _HERE[1].series_uid,
        _HERE[1].sop_instance_uid,
    )


def test_a_selection_over_two_studies_becomes_two_documents_that_name_each_other(tmp_path: Path) -> None:
    selection = KeyObjects((*_HERE, reference_to(_OTHER)), title=TITLES[4])
    documents = _documents(selection, IMAGES[0], _OTHER)
    assert [ds.StudyInstanceUID for ds in documents] == ["2.25.100", "2.25.200"]
    for ds, other in zip(documents, reversed(documents), strict=True):
        path = judges.written(ds, tmp_path)
        assert judges.dciodvfy(path) == []
        read = read_key_objects(path.read_bytes())
        assert read.title == Code("113004", "DCM", "For Teaching")
        assert len(read.objects) == 4
        assert read.identical_uids == (other.SOPInstanceUID,)
        assert len(ds.CurrentRequestedProcedureEvidenceSequence) == 2


def test_what_was_put_in_comes_out_again() -> None:
    reason = Code("111207", "DCM", "Image artifact(s)")
    frames = Reference(_HERE[0].sop_class_uid, "2.25.5", "2.25.6", "2.25.100", (2, 5))
    selection = KeyObjects((frames,), TITLES[1], (reason,), "blurred")
    read = read_key_objects(encode(_documents(selection, IMAGES[0])[0]))
    assert (read.title, read.modifiers, read.description) == (TITLES[1], (reason,), "blurred")
    assert [(one.sop_instance_uid, one.frames) for one in read.objects] == [("2.25.5", (2, 5))]
    assert read.report.findings == ()


@pytest.mark.parametrize(
    ("selection", "sources", "fault"),
    [
        (KeyObjects(()), (IMAGES[0],), "empty"),
        (KeyObjects(_HERE, TITLES[1]), (IMAGES[0],), "modifier"),
        (KeyObjects(_HERE), (_OTHER,), "each of its studies"),
        (KeyObjects((*_HERE, reference_to(_OTHER))), (IMAGES[0],), "each of its studies"),
    ],
    ids=["nothing", "a rejection without reason", "another study", "a study without header"],
)
def test_what_cannot_be_written_is_refused(selection: KeyObjects, sources: tuple[Dataset, ...], fault: str) -> None:
    with pytest.raises(InvalidObject, match=fault):
        _documents(selection, *sources)


def test_another_report_is_no_selection() -> None:
    from tests.objects.documents import GROUPS

    with pytest.raises(UnreadableObject, match="no Key Object Selection"):
        read_key_objects(encode(report_of(GROUPS[0])))


def test_the_titles_are_those_of_the_context_group() -> None:
    from pydicom.sr.codedict import codes

    known = {(code.value, code.meaning) for name in codes.cid7010.dir() for code in [getattr(codes.cid7010, name)]}
    assert {(title.value, title.meaning) for title in TITLES} <= known
    assert OF_INTEREST.value == "113000"
