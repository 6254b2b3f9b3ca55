"""picsl-greedy as a deformable engine: refused where it is not installed, judged like every other where it is."""

from __future__ import annotations

import pytest

from radfuse.core.errors import CannotRegister
from radfuse.registration import DeformableRecipe, Engine, Focus
from radfuse.registration.deform import register_deformable
from radfuse.registration.deformable import greedy
from tests.registration.made_deformable import Made, ball, make

RECIPE = DeformableRecipe(engine=Engine.GREEDY)
installed = pytest.mark.skipif(not greedy.is_there(), reason="picsl-greedy is not installed (pip install picsl-greedy)")


@pytest.fixture(scope="module")
def pair() -> Made:
    return make()


def test_without_the_package_it_is_refused_with_what_to_do(pair: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greedy, "_MODULE", "no_such_module")
    with pytest.raises(CannotRegister, match=r"pip install 'radfuse\[greedy\]'"):
        register_deformable(pair.fixed, pair.moving, pair.start, RECIPE)


def test_levels_that_it_does_not_have_are_refused(pair: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greedy, "is_there", lambda: True)
    for levels, words in (((3, 1), "halves the voxels"), ((16, 8, 4, 2, 1), "too few voxels")):
        recipe = DeformableRecipe(engine=Engine.GREEDY, coarseness=levels, iterations=(2,) * len(levels))
        with pytest.raises(CannotRegister, match=words):
            register_deformable(pair.fixed, pair.moving, pair.start, recipe)


@installed
def test_it_finds_the_deformation_with_masks_and_the_same_bits_again(pair: Made) -> None:
    focus = Focus(fixed_mask=ball(pair.fixed.grid, (0, 0, 0), 45), moving_mask=ball(pair.moving.grid, (0, 0, 0), 46))
    found, again = (register_deformable(pair.fixed, pair.moving, pair.start, RECIPE, focus) for _ in range(2))
    assert found.fell_back == ""
    assert pair.errors_mm(found).mean() < 1
    points = pair.inner_points()
    assert (found.registration.transform.apply(points) == again.registration.transform.apply(points)).all()
    assert found.registration.parameters["engine"] == "greedy"


@installed
def test_it_compares_two_modalities_by_mutual_information() -> None:
    two = make(contrast=True)
    recipe = DeformableRecipe(engine=Engine("greedy"), iterations=(100, 60, 30))
    found = register_deformable(two.fixed, two.moving, two.start, recipe)
    assert found.fell_back == ""
    assert two.errors_mm(found).mean() < 1
