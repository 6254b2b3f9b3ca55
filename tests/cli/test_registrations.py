"""``radfuse registrations``: listed, shown, and the path between series."""

from __future__ import annotations

from pathlib import Path

import pytest

from radfuse.archive import Archive, ArchiveSettings
from tests.cli.conftest import Run
from tests.support.graphs import Scene, bend, shift


@pytest.fixture
def scene(run: Run, tmp_path: Path) -> Scene:
    """CT to MR by a matrix that passed, MR to PET by a deformation; what is run sees it."""
    folder = tmp_path / "data"
    with Archive(ArchiveSettings(folder)) as archive:
        made = Scene(archive)
        passed = made.register("ct", "mr", shift(1, 2, 3), label="RIGID", description="the head")
        made.judge(passed, "PASS", "mean landmark error 1.1 mm")
        made.register("mr", "pet", bend(made.frame("mr")), when=1)
        made.register("ct", "bone", shift(9))
        made.judge(str(made.register("ct", "far", shift(90))), "FAIL", when=3)
        broken = made.registration("ct", "old", shift(1), when=4)
        del broken.RegistrationSequence
        made.keep(broken)
    return made


def test_they_are_listed_with_what_they_join_and_their_grade(run: Run, scene: Scene) -> None:
    rows = run("registrations", "list", "--json").json
    assert [row["Grade"] for row in rows] == ["PASS", "NOT JUDGED", "NOT JUDGED", "FAIL", "NOT JUDGED"]
    assert rows[0]["Links"][0]["Fixed"] == scene.frame("ct")
    assert [row["Links"] and row["Links"][0]["Deformable"] for row in rows] == [False, True, False, False, []]
    study = str(scene.of("ct")[0].StudyInstanceUID)
    assert run("registrations", "list", "--study", study, "--json").json == rows
    said = run("registrations", "list")
    assert (said.code, "not used" in said.out, "it holds no registration" in said.err) == (0, True, True)
    assert run("registrations", "list", "--study", "2.25.404").code == 1
    assert run("registrations", "list", "--study", "x").code == 2


def test_one_is_shown_with_its_matrix_and_its_grade(run: Run, scene: Scene) -> None:
    uids = [row["SOPInstanceUID"] for row in run("registrations", "list", "--json").json]
    shown = run("registrations", "show", uids[0])
    assert shown.code == 0
    for words in ("RIGID", "the head", "PASS, mean landmark error 1.1 mm", "Image Content-based Alignment", "3.000000"):
        assert words in shown.out
    assert run("registrations", "show", uids[0], "--json").json["Links"][0]["Matrix"][3::4] == [1, 2, 3, 1]
    assert "a displacement field of" in run("registrations", "show", uids[1]).out
    assert run("registrations", "show", uids[1], "--json").json["Links"][0]["Matrix"] is None
    assert run("registrations", "show", uids[-1]).code == 1
    assert run("registrations", "show", "2.25.404").code == 1


def test_the_path_between_two_series_is_shown(run: Run, scene: Scene) -> None:
    answer = run("registrations", "path", scene.uid("ct"), scene.uid("pet"), "--json").json
    assert (answer["Registered"], answer["Deformable"], answer["Grade"]) == (True, True, "NOT JUDGED")
    assert [step["Direction"] for step in answer["Steps"]] == ["forward", "forward"]
    said = run("registrations", "path", scene.uid("mr"), scene.uid("ct"))
    assert (said.code, "backward" in said.out, "-3.000000" in said.out) == (0, True, True)
    uid = answer["Steps"][0]["Registration"]
    assert run("registrations", "path", scene.uid("ct"), scene.uid("mr"), "--only", uid).code == 0


def test_series_without_a_path_end_with_1_and_the_reason(run: Run, scene: Scene) -> None:
    refused = run("registrations", "path", scene.uid("ct"), scene.uid("old"))
    assert (refused.code, refused.out) == (1, "")
    assert "radfuse: not registered: no registration that can be used" in refused.err
    assert "it is not used" in refused.err
    failed = run("registrations", "path", scene.uid("ct"), scene.uid("far"), "--json")
    assert (failed.code, failed.json["Registered"]) == (1, False)
    taken = run("registrations", "path", scene.uid("ct"), scene.uid("far"), "--allow-failed", "--json")
    assert (taken.code, taken.json["Grade"], taken.json["Matrix"][3]) == (0, "FAIL", 90)
    assert run("registrations", "path", scene.uid("ct"), "2.25.404").code == 1
    assert run("registrations", "path", scene.uid("ct"), "x").code == 2
