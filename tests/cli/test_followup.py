"""``radfuse followup`` from two PET/CT studies to the kept change table, and wrong use."""

from __future__ import annotations

from pathlib import Path

import pytest

from radfuse.archive import Archive, ArchiveSettings
from radfuse.services.commission.scans import CT, PT, uid_of
from tests.cli.conftest import Run
from tests.support.timepoints import CURRENT, GROWN, PRIOR, SERIES, keep_time_points

NOW, BEFORE = SERIES[CURRENT, PT], SERIES[PRIOR, PT]


@pytest.fixture
def kept(tmp_path: Path) -> None:
    """Two PET/CT studies that nobody registered."""
    (tmp_path / "data").mkdir()
    with Archive(ArchiveSettings(tmp_path / "data")) as archive:
        keep_time_points(archive, (CT, PT))


@pytest.mark.usefixtures("kept")
def test_from_two_studies_to_the_kept_table(run: Run, tmp_path: Path) -> None:
    listed = run("followup", NOW, "--priors", "--json").json
    assert [(each["SeriesInstanceUID"], each["Chosen"]) for each in listed] == [(BEFORE, True)]
    words = ("--current-structures", uid_of("series structures current"), "--registration", "rigid")
    done = run("followup", NOW, *words, "--save", "--json")
    assert done.code == 0, done.err
    found = done.json
    assert found["RegistrationGrade"] == "PASS", "CT to CT, though the series are PET"
    assert [(each["Name"], each["Status"]) for each in found["Lesions"]] == [
        ("grown", "persisting"),
        ("cooled", "persisting"),
        ("gone", "vanished"),
        ("new", "new"),
    ]
    volume = found["Lesions"][0]["Changes"][0]
    truth = 100 * ((GROWN.radius_mm[1] / GROWN.radius_mm[0]) ** 3 - 1)
    assert (volume["Quantity"], volume["Percent"]) == ("Volume", pytest.approx(truth, abs=12))
    assert len(found["StoredObjects"]) == 5
    assert len(found["RegistrationsUsed"]) == 1
    again = run("followup", NOW, "--structures", uid_of("series structures prior"), "--report", tmp_path / "to")
    assert (again.code, (tmp_path / "to" / "followup.pdf").is_file()) == (0, True)
    assert "1 registration, the worst grade PASS" in again.out, "what is kept is used again"
    assert again.out.splitlines()[1].split()[:4] == ["grown", "persisting", "Volume,", "ml"]
    of_ct = run("followup", SERIES[CURRENT, CT], "--structures", uid_of("series structures prior"), "--json")
    assert (of_ct.json["Rule"], of_ct.json["Unit"], of_ct.json["PriorSeriesInstanceUID"]) == (
        "contour",
        "HU",
        SERIES[PRIOR, CT],
    )
    assert [each["Quantity"] for each in of_ct.json["Lesions"][0]["Changes"]] == [
        "Volume",
        "Mean",
        "Long axis",
        "Short axis",
    ]
    ambiguous = run("followup", NOW)
    assert (ambiguous.code, "name the one with the lesions" in ambiguous.err) == (1, True)


def test_a_job_is_queued(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    queued = run("followup", "2.25.1", "--prior", "2.25.2", "--rule", "SUV 4", "--pair", "a=b",
                 "--current-structures", "2.25.3", "--job", "--json")  # fmt: skip
    job = run("jobs", "show", queued.json["Job"], "--json").json
    assert (job["Kind"], job["State"]) == ("followup", "queued")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("pet",), "Series Instance UID"),
        (("2.25.1", "--rule", "half"), "a rule is 41%"),
        (("2.25.1", "--pair", "a"), "PRIOR=CURRENT"),
        (("2.25.1", "--pair", "a=b"), "drawn on the current images"),
        (("2.25.1", "--margin", "200"), "margin"),
        (("2.25.1", "--job", "--report", "x"), "leave --report out"),
    ],
    ids=range(6),
)
def test_wrong_use_ends_with_2(words: tuple[str, ...], sentence: str, run: Run) -> None:
    done = run("followup", *words)
    assert done.code == 2
    assert sentence in " ".join(done.err.split())
