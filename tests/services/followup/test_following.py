"""Two time points compared: the table against the known truth, by registration, by hand and not at all."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from radfuse.archive import Archive, queries
from radfuse.core.errors import CannotRegister, InvalidRegion, UnknownEntity
from radfuse.geometry import Affine
from radfuse.services.commission.scans import PT, uid_of
from radfuse.services.contours import images_of
from radfuse.services.followup import Followup, FollowupAsk, Linking, PairByHand, follow_up, rule_of
from radfuse.services.followup.model import Lesion, Quantity, Status
from radfuse.services.new_regions import headers_of
from radfuse.services.store_results import store
from tests.support.timepoints import (
    BALLS,
    COOLED,
    CURRENT,
    GONE,
    GROWN,
    NEW,
    PRIOR,
    SERIES,
    Ball,
    registration_object,
)

SPATIAL_REGISTRATION = "1.2.840.10008.5.1.4.1.1.66.1"

NOW, BEFORE = SERIES[CURRENT, PT], SERIES[PRIOR, PT]
DRAWN_NOW = uid_of("series structures current")


@pytest.fixture(scope="module")
def found(kept: Archive) -> Followup:
    return follow_up(kept, FollowupAsk(NOW, current_structures=DRAWN_NOW))


def lesion_of(found: Followup, ball: Ball) -> Lesion:
    (one,) = [each for each in found.lesions if each.name == ball.name]
    return one


def change(found: Followup, ball: Ball, quantity: Quantity) -> tuple[float | None, float | None, float | None]:
    (one,) = [each for each in found.changes(lesion_of(found, ball)) if each.quantity is quantity]
    return one.prior, one.current, one.percent


def ball_ml(radius_mm: float) -> float:
    return 4 / 3 * math.pi * radius_mm**3 / 1000


@pytest.mark.parametrize("ball", [GROWN, COOLED], ids=lambda ball: ball.name)
def test_volumes_and_uptake_of_a_lesion_are_the_known_ones_at_both_time_points(found: Followup, ball: Ball) -> None:
    assert lesion_of(found, ball).status is Status.PERSISTING
    for place in (0, 1):
        assert change(found, ball, Quantity.VOLUME)[place] == pytest.approx(ball_ml(ball.radius_mm[place]), rel=0.1)
        assert change(found, ball, Quantity.PEAK)[place] == pytest.approx(ball.suv[place], rel=0.02)
        assert change(found, ball, Quantity.MAXIMUM)[place] == pytest.approx(ball.suv[place], rel=0.07)
        assert change(found, ball, Quantity.LONG_AXIS)[place] == pytest.approx(2 * ball.radius_mm[place], abs=4.0)


def test_the_change_is_in_per_cent_of_the_prior(found: Followup) -> None:
    assert change(found, COOLED, Quantity.PEAK)[2] == pytest.approx(-40, abs=2)
    assert change(found, GROWN, Quantity.VOLUME)[2] == pytest.approx(50, abs=12)
    assert change(found, GROWN, Quantity.TLG)[2] == pytest.approx(50, abs=12)


def test_a_lesion_that_is_gone_has_no_volume_and_the_values_of_its_place(found: Followup) -> None:
    assert lesion_of(found, GONE).status is Status.VANISHED
    assert change(found, GONE, Quantity.VOLUME)[1:] == (0.0, -100.0)
    assert change(found, GONE, Quantity.TLG)[1:] == (0.0, -100.0)
    assert change(found, GONE, Quantity.MAXIMUM)[1] == pytest.approx(1.8, abs=0.2), "the heart beside it"


def test_what_is_drawn_where_nothing_was_is_new_and_has_no_change(found: Followup) -> None:
    assert lesion_of(found, NEW).status is Status.NEW
    prior, current, percent = change(found, NEW, Quantity.PEAK)
    assert (prior, percent) == (None, None)
    assert current == pytest.approx(NEW.suv[1], rel=0.03)


def test_the_totals_are_of_all_voxels_of_the_time_point(found: Followup) -> None:
    volume, tlg = found.totals
    assert volume.prior == pytest.approx(sum(ball_ml(ball.radius_mm[0]) for ball in BALLS), rel=0.1)
    assert volume.current == pytest.approx(sum(ball_ml(ball.radius_mm[1]) for ball in BALLS), rel=0.1)
    assert tlg.prior == pytest.approx(sum(change(found, ball, Quantity.TLG)[0] or 0 for ball in BALLS))


def test_it_says_how_the_time_points_are_registered_and_which_prior_was_taken(found: Followup) -> None:
    assert found.chosen is not None
    assert found.chosen.series_instance_uid == BEFORE
    assert "1 registration" in found.link.sentence
    assert [each.kind for each in found.findings] == ["registration"], "its grade, and nothing else"
    assert "NOT JUDGED" in found.findings[0].sentence


def test_without_anything_drawn_now_the_same_lesions_are_found(kept: Archive, found: Followup) -> None:
    alone = follow_up(kept, FollowupAsk(NOW, BEFORE))
    assert alone.chosen is None
    assert [each.name for each in alone.lesions] == ["grown", "cooled", "gone"]
    for ball in (GROWN, COOLED):
        assert change(alone, ball, Quantity.VOLUME) == pytest.approx(change(found, ball, Quantity.VOLUME), rel=0.03)


def test_the_same_input_gives_the_same_numbers(kept: Archive, found: Followup) -> None:
    again = follow_up(kept, FollowupAsk(NOW, current_structures=DRAWN_NOW))
    assert [again.changes(one) for one in again.lesions] == [found.changes(one) for one in found.lesions]


def test_a_number_as_the_rule_is_the_same_threshold_at_both_time_points(kept: Archive) -> None:
    found = follow_up(kept, FollowupAsk(NOW, names=("grown", "3"), rule=rule_of("SUV 4")))
    assert [(each.name, each.status) for each in found.lesions] == [
        ("grown", Status.PERSISTING),
        ("gone", Status.VANISHED),
    ]
    assert {seen.level for each in found.lesions for seen in (each.prior, each.current) if seen} == {4.0}


def test_carried_contours_stay_as_they_are_where_that_is_the_rule(kept: Archive) -> None:
    found = follow_up(kept, FollowupAsk(NOW, names=("gone",), rule=rule_of("contour")))
    (one,) = found.lesions
    assert one.status is Status.PERSISTING, "a contour cannot vanish by itself"
    assert one.current is not None
    assert "nobody has looked" in one.current.notes[0]
    assert change(found, GONE, Quantity.VOLUME)[2] == pytest.approx(0, abs=5)


def test_nothing_is_carried_without_a_registration(own: Archive) -> None:
    forget_registrations(own)
    ask = FollowupAsk(NOW, current_structures=DRAWN_NOW, linking=Linking.NONE)
    found = follow_up(own, ask)
    assert found.link.path is None
    assert "not registered" in found.link.sentence
    assert {each.status for each in found.lesions} == {Status.UNPAIRED}
    assert [each.carried for each in found.lesions] == [None] * 6
    assert all(each.difference is None for one in found.lesions for each in found.changes(one))
    assert found.totals[0].current is None
    by_hand = follow_up(own, FollowupAsk(NOW, current_structures=DRAWN_NOW, linking=Linking.NONE, pairs=PAIRS))
    assert [(each.name, each.status.value, each.by_hand) for each in by_hand.lesions] == [
        ("grown", "persisting", True),
        ("cooled", "not paired", False),
        ("gone", "not paired", False),
        ("cooled", "not paired", False),
        ("new", "not paired", False),
    ]
    assert change(by_hand, GROWN, Quantity.PEAK)[2] == pytest.approx(0, abs=3)


PAIRS = (PairByHand("grown", "Grown"),)


def forget_registrations(archive: Archive) -> None:
    with archive.reading() as connection:
        places = queries.objects_of_kind(connection, "REG", (SPATIAL_REGISTRATION,))
    archive.delete([place.stored for place in places])


def test_a_lesion_beyond_the_current_images_is_outside_and_the_totals_have_no_change(own: Archive) -> None:
    forget_registrations(own)
    keep_far_registration(own)
    found = follow_up(own, FollowupAsk(NOW))
    assert {each.status for each in found.lesions} == {Status.OUTSIDE}
    assert "do not show" in found.lesions[0].notes[0]
    assert found.totals[0].difference is None
    assert any("not compared" in each.sentence for each in found.findings)


def keep_far_registration(archive: Archive) -> None:
    """The frames of reference joined by a shift of half a metre."""
    source = headers_of(images_of(archive, NOW))[0]
    store(archive, [registration_object(source, Affine.of(np.eye(3), (500, 0, 0)))])


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (lambda: FollowupAsk(NOW, NOW), InvalidRegion, "the current series itself"),
        (lambda: FollowupAsk(NOW, margin_mm=-1), InvalidRegion, "margin"),
        (lambda: FollowupAsk(NOW, pairs=PAIRS), InvalidRegion, "drawn on the current images"),
        (lambda: FollowupAsk("2.25.404"), UnknownEntity, "series"),
        (lambda: FollowupAsk(NOW, "2.25.404"), UnknownEntity, "series"),
        (lambda: FollowupAsk(BEFORE), CannotRegister, "no earlier series"),
        (lambda: FollowupAsk(NOW, uid_of("series structures prior")), CannotRegister, "one modality"),
        (lambda: FollowupAsk(NOW, names=("liver",)), InvalidRegion, "regions has that name"),
        (lambda: FollowupAsk(NOW, structures="2.25.404"), UnknownEntity, "regions"),
        (lambda: FollowupAsk(NOW, current_structures=DRAWN_NOW, pairs=(PairByHand("x", "y"),)), InvalidRegion, "names"),
        (lambda: FollowupAsk(NOW, rule=rule_of("101%")), InvalidRegion, "per cent"),
        (lambda: FollowupAsk(NOW, rule=rule_of("half")), InvalidRegion, "a rule is"),
    ],
    ids=range(12),
)
def test_what_cannot_be_compared_is_refused_with_a_sentence(
    ask: Callable[[], FollowupAsk], error: type[Exception], words: str, kept: Archive
) -> None:
    with pytest.raises(error, match=words):
        follow_up(kept, ask())
