"""A registration that failed carries nothing, and the second attempt is rigid alone."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from radfuse.archive import Archive, queries
from radfuse.core.errors import CannotRegister
from radfuse.geometry import Affine, Chain
from radfuse.registration import Method, Registration
from radfuse.registration.quality import Grade, ReportCard
from radfuse.services.commission.scans import PT, frame_of
from radfuse.services.contours import images_of
from radfuse.services.followup import Followup, FollowupAsk, Linking, follow_up
from radfuse.services.followup import linking as module
from radfuse.services.followup.model import Status
from radfuse.services.new_regions import headers_of
from radfuse.services.register import RegisterAsk, Registered, RegisterKind
from radfuse.services.register.loading import side
from tests.support.graphs import Scene
from tests.support.timepoints import CURRENT, SERIES

NOW = SERIES[CURRENT, PT]


@dataclass
class Registering:
    """Stands for minutes of registering: a result by the grade that each kind gets; what was asked is noted."""

    archive: Archive
    grades: dict[RegisterKind, Grade]

    def __post_init__(self) -> None:
        self.asked: list[RegisterAsk] = []

    def __call__(self, archive: Archive, ask: RegisterAsk, _progress: object) -> Registered:
        self.asked.append(ask)
        if ask.kind not in self.grades:
            raise CannotRegister("the images do not overlap")
        frames = frame_of("follow-up current"), frame_of("follow-up prior")
        method = Method.DEFORMABLE if ask.kind is RegisterKind.DEFORMABLE else Method.RIGID
        made = Registration(*frames, Chain((Affine.identity(),)), method)
        card = ReportCard(self.grades[ask.kind], "as the test says", (), (), ())
        return Registered(made, card, side(archive, ask.fixed), side(archive, ask.moving), ask)


@pytest.fixture
def unregistered(own: Archive) -> Archive:
    """Without the registration between the time points."""
    with own.reading() as connection:
        places = queries.objects_of_kind(connection, "REG", ("1.2.840.10008.5.1.4.1.1.66.1",))
    own.delete([place.stored for place in places])
    return own


def linked(archive: Archive, monkeypatch: pytest.MonkeyPatch, **grades: Grade) -> tuple[Followup, list[RegisterKind]]:
    registering = Registering(archive, {RegisterKind[kind]: grade for kind, grade in grades.items()})
    monkeypatch.setattr(module, "register", registering)
    return follow_up(archive, FollowupAsk(NOW)), [ask.kind for ask in registering.asked]


def test_when_everything_failed_nothing_is_carried(unregistered: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    found, kinds = linked(unregistered, monkeypatch, DEFORMABLE=Grade.FAIL, RIGID=Grade.FAIL)
    assert kinds == [RegisterKind.DEFORMABLE, RegisterKind.RIGID]
    assert {each.status for each in found.lesions} == {Status.UNPAIRED}
    assert "the registration failed: as the test says; pair the lesions by hand" in found.link.sentence
    assert len(found.link.made) == 2, "their cards are kept"


def test_when_the_deformation_failed_the_rigid_one_carries(
    unregistered: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = linked(unregistered, monkeypatch, DEFORMABLE=Grade.FAIL, RIGID=Grade.CAUTION)
    assert all(each.carried is not None for each in found.lesions)
    assert "automatic rigid registration of PT to PT" in found.link.sentence
    assert [each.kind for each in found.findings] == ["registration"]


def test_what_cannot_be_registered_is_said_and_nothing_is_carried(
    unregistered: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = linked(unregistered, monkeypatch)
    assert "do not overlap" in found.link.sentence
    assert {each.status for each in found.lesions} == {Status.UNPAIRED}


def test_a_kept_registration_that_failed_is_not_used(own: Archive) -> None:
    with own.reading() as connection:
        (place,) = queries.objects_of_kind(connection, "REG", ("1.2.840.10008.5.1.4.1.1.66.1",))
    scene = Scene(own, {"now": headers_of(images_of(own, NOW))})
    scene.judge(place.stored.sop_instance_uid, "FAIL")
    found = follow_up(own, FollowupAsk(NOW, linking=Linking.NONE))
    assert found.link.path is None
    assert "fail" in found.link.sentence.lower()
