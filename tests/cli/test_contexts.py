"""contexts list, show, set, reset."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

CT, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"


def test_the_built_in_lists_are_shown_and_no_folder_is_made(run: Run, tmp_path: Path) -> None:
    dbx, xd = run("contexts", "list", "--json").json
    assert (dbx["Name"], len(dbx["SOPClasses"]), len(dbx["TransferSyntaxes"])) == ("dbx", 102, 9)
    assert (xd["Name"], len(xd["SOPClasses"]), len(xd["TransferSyntaxes"])) == ("xd", 16, 3)
    assert "xd    16          Implicit VR Little Endian" in run("contexts", "list").out
    shown = run("contexts", "show", "xd").out
    assert "SOP class        CT Image Storage" in shown
    assert "Transfer syntax  Explicit VR Big Endian" in shown
    assert run("contexts", "show", "xd", "--json").json == xd
    assert not (tmp_path / "data").exists()


def test_a_list_is_made_of_keywords_and_uids_changed_and_removed(run: Run) -> None:
    words = (
        "contexts",
        "set",
        "mine",
        "--class",
        "CTImageStorage",
        "--class",
        MR,
        "--syntax",
        "ExplicitVRLittleEndian",
    )
    assert run(*words, "--json").json == {
        "Name": "mine",
        "SOPClasses": [CT, MR],
        "TransferSyntaxes": [EXPLICIT],
        "StorageNegotiation": False,
    }
    assert run("contexts", "set", "mine", "--syntax", IMPLICIT).out == "mine has SOP classes: 2, transfer syntaxes: 1\n"
    assert run("contexts", "show", "mine", "--json").json["TransferSyntaxes"] == [IMPLICIT]
    assert run("contexts", "reset", "mine").out == "mine is removed\n"
    assert run("contexts", "show", "mine").code == 1


def test_storage_extended_negotiation_is_a_property_of_the_list(run: Run) -> None:
    def negotiates(*words: str) -> bool:
        return bool(run("contexts", *words, "--json").json["StorageNegotiation"])

    assert (negotiates("show", "dbx"), negotiates("show", "xd")) == (False, True)
    assert negotiates("set", "xd", "--class", CT), "what is not given stays"
    assert not negotiates("set", "xd", "--no-negotiate")
    assert negotiates("set", "mine", "--class", CT, "--syntax", IMPLICIT, "--negotiate")
    assert negotiates("show", "mine")
    assert "Negotiation      storage" in run("contexts", "show", "mine").out


def test_an_edited_built_in_list_is_reset(run: Run) -> None:
    run("contexts", "set", "xd", "--class", CT)
    assert run("contexts", "show", "xd", "--json").json["SOPClasses"] == [CT]
    assert len(run("contexts", "reset", "xd", "--json").json["SOPClasses"]) == 16
    assert len(run("contexts", "show", "xd", "--json").json["SOPClasses"]) == 16


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mine"], "there is no list 'mine' yet: give it --class and --syntax"),
        (["mine", "--class", "CTImageStorage"], "there is no list 'mine' yet"),
        (["mine", "--class", "Picture", "--syntax", IMPLICIT], "--class: 'Picture' is neither a UID nor the name"),
        (["mine", "--class", CT, "--syntax", "zip"], "--syntax: 'zip' is neither a UID nor the name"),
        (["mine", "--class", CT, "--class", CT, "--syntax", IMPLICIT], "sop_classes: a UID is there twice"),
        (["../x", "--class", CT, "--syntax", IMPLICIT], "context_list: '../x' is not a name"),
    ],
)
def test_a_list_that_cannot_be_is_wrong_use(run: Run, words: list[str], said: str) -> None:
    answer = run("contexts", "set", *words)
    assert answer.code == 2
    assert said in " ".join(answer.err.split())
    assert [one["Name"] for one in run("contexts", "list", "--json").json] == ["dbx", "xd"]


def test_a_list_that_a_peer_uses_is_not_removed(run: Run) -> None:
    run("contexts", "set", "mine", "--class", CT, "--syntax", IMPLICIT)
    run("peers", "add", "pacs", "PACS@192.0.2.7:104", "--contexts", "mine")
    answer = run("contexts", "reset", "mine")
    assert answer.code == 1
    assert answer.err == "radfuse: context_list: 'mine' is used by the peers pacs\n"


def test_an_unknown_list_is_said_with_the_known_ones(run: Run) -> None:
    for command in ("show", "reset"):
        answer = run("contexts", command, "other")
        assert answer.code == 1
        assert "no context list 'other'; known are dbx, xd" in answer.err
