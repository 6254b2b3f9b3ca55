"""A real PET compared with itself in another frame of reference: nothing may change."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from radfuse.archive import Archive
from radfuse.geometry import Affine, Chain, FrameOfReference
from radfuse.objects.reg import CONTENT_BASED, NewRegistration, build_spatial_registration
from radfuse.services.followup import FollowupAsk, follow_up, rule_of
from radfuse.services.import_media import Verdict, import_files, import_stream
from radfuse.services.store_results import store
from tests.support.made import made_from, making

LATER, FRAME, STUDY = "2.25.9901", "2.25.9902", "2.25.9903"


@pytest.fixture
def files(shared_data: Path) -> Path:
    folder = shared_data / "petct" / "sts-001"
    if not folder.is_dir():
        pytest.skip("no sts-001 among the real data")
    return folder


@pytest.mark.filterwarnings("ignore:The value length:UserWarning")  # the scanner's
def test_the_tumour_of_one_scan_is_the_same_at_both_time_points(files: Path, archive: Archive) -> None:
    images = sorted((files / "pet").rglob("*.dcm"))
    assert len(list(import_files(archive, images))) == len(images)
    for number, path in enumerate(images):
        ds, content = dcmread(path), BytesIO()
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = STUDY, LATER, FRAME
        ds.SOPInstanceUID = f"2.25.9904.{number}"
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        ds.save_as(content)
        content.seek(0)
        assert import_stream(archive, "later", content).verdict is Verdict.STORED
    prior = dcmread(images[0], stop_before_pixels=True)
    step = Chain((Affine.of(np.eye(3), (1.0, -1.0, 0.5)),))  # less than half a voxel
    frames = FrameOfReference(FRAME), FrameOfReference(str(prior.FrameOfReferenceUID))
    new = NewRegistration(*frames, step, CONTENT_BASED)
    store(archive, [build_spatial_registration(new, ds, provenance=made_from([ds]), making=making())])
    lesions = files / "rtstruct-pet.dcm"
    for rule in ("41%", "SUV 3"):
        ask = FollowupAsk(LATER, str(prior.SeriesInstanceUID), lesions, rule=rule_of(rule))
        found = follow_up(archive, ask)
        (tumour,) = found.lesions
        assert {change.difference for change in found.changes(tumour)} == {0.0}
        assert tumour.current is not None
        assert "beside it are left out" in tumour.current.notes[0], "the tumour goes on beyond what was drawn of it"
