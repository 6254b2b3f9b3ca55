"""Taking in one object."""

from __future__ import annotations

import pytest

from radfuse.archive import Archive, Origin, Outcome
from radfuse.core.errors import DataSetError, InvalidInstance, InvalidUID
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE
from radfuse.services.ingest import Ingested, check_origin, ingest
from tests.interop.client import Sent, sent_dataset
from tests.support.generate import CT_IMAGE, base_instance

IMPLANT = "1.2.840.10008.5.1.4.43.1"


def taken(archive: Archive, sent: Sent) -> Ingested:
    origin = Origin(sent.sop_class_uid, sent.sop_instance_uid, sent.transfer_syntax_uid, "TESTER")
    check_origin(origin)
    with archive.receive(origin) as incoming:
        incoming.write(sent.data)
        return ingest(archive, incoming)


def test_an_object_is_kept_once(archive: Archive) -> None:
    sent = sent_dataset(base_instance(CT_IMAGE, "CT", 1, 1))
    done = taken(archive, sent)
    assert done.outcome is Outcome.KEPT
    assert done.header.sop_instance_uid == sent.sop_instance_uid
    assert taken(archive, sent).outcome is Outcome.SAME_AGAIN


@pytest.mark.parametrize("uid", ["", "../x", "1..2", "x"])
def test_an_origin_without_proper_uids_is_refused(uid: str) -> None:
    with pytest.raises(InvalidUID, match="SOP Instance UID"):
        check_origin(Origin(CT_IMAGE, uid, EXPLICIT_LITTLE))
    with pytest.raises(InvalidUID, match="SOP Class UID"):
        check_origin(Origin(uid, "1.2.3", EXPLICIT_LITTLE))


@pytest.mark.parametrize("keyword", ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"])
def test_an_object_that_is_not_what_it_is_said_to_be_is_refused(archive: Archive, keyword: str) -> None:
    ds = base_instance(CT_IMAGE, "CT", 1, 1)
    uid = ds.SOPInstanceUID
    setattr(ds, keyword, "1.2.3.4" if keyword.startswith("SOP") else "")
    data = sent_dataset(ds).data
    with pytest.raises(InvalidInstance):
        taken(archive, Sent(CT_IMAGE, uid, EXPLICIT_LITTLE, data))


def test_broken_data_are_refused(archive: Archive) -> None:
    with pytest.raises(DataSetError):
        taken(archive, Sent(CT_IMAGE, "1.2.3", EXPLICIT_LITTLE, b"\x08\x00\x05\x00CS\xff\x00"))


def test_an_implant_template_needs_no_study(archive: Archive) -> None:
    ds = base_instance(CT_IMAGE, "OT", 1, 1)
    ds.SOPClassUID = IMPLANT
    del ds.StudyInstanceUID, ds.SeriesInstanceUID
    assert taken(archive, sent_dataset(ds)).outcome is Outcome.KEPT
