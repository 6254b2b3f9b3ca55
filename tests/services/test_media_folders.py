"""Folders of the server: what lies below the allowed ones is found, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from radfuse.core.errors import ConfigurationError
from radfuse.services.media_folders import MOST_PLACES, Places, allowed_places, path_below, places_in

SETTING = "media.import_folders"


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    """A folder that the settings allow."""
    folder = tmp_path / "allowed"
    folder.mkdir()
    return folder


def listed(folder: Path, path: str = "", *, with_files: bool = True) -> Places:
    return places_in([folder], str(folder), path, SETTING, with_files=with_files)


def names(found: Places) -> list[str]:
    return [place.name for place in found.places]


def test_folders_come_first_and_each_kind_by_its_name(allowed: Path) -> None:
    for name in ("b", "A", "c"):
        (allowed / name).mkdir()
    for name in ("z.zip", "Disc.ISO", "image.1.dcm"):
        (allowed / name).write_bytes(b"1234")
    found = listed(allowed)
    assert [(place.name, place.kind.value) for place in found.places] == [
        ("A", "folder"),
        ("b", "folder"),
        ("c", "folder"),
        ("Disc.ISO", "image"),
        ("z.zip", "zip"),
    ]
    assert (found.has_more, found.places[-1].size_bytes) == (False, 4)


def test_a_folder_of_very_many_is_listed_in_part_and_says_so(allowed: Path) -> None:
    for number in range(MOST_PLACES + 1):
        (allowed / f"{number:05}").mkdir()
    found = listed(allowed)
    assert (len(found.places), found.has_more) == (MOST_PLACES, True)


def test_names_that_are_no_text_and_links_are_left_out(allowed: Path) -> None:
    os.mkdir(os.fsencode(allowed) + b"/\xff\xfe")
    (allowed / "circle").symlink_to(allowed)
    (allowed / "good").mkdir()
    assert names(listed(allowed)) == ["good"]


def test_a_disc_is_known_by_its_directory_in_any_case(allowed: Path) -> None:
    (allowed / "old").mkdir()
    (allowed / "old" / "dicomdir").write_bytes(b"")
    (allowed / "other").mkdir()
    assert [place.holds_dicomdir for place in listed(allowed).places] == [True, False]


def test_a_medium_that_was_taken_out_is_listed_and_cannot_be_read(tmp_path: Path) -> None:
    (gone,) = allowed_places([tmp_path / "gone"]).places
    assert (gone.is_readable, gone.is_writable) == (False, False)
    with pytest.raises(ConfigurationError, match="nothing at this place"):
        listed(tmp_path / "gone")


def test_an_allowed_folder_may_itself_be_a_link(allowed: Path, tmp_path: Path) -> None:
    (allowed / "inside").mkdir()
    link = tmp_path / "link"
    link.symlink_to(allowed)
    assert names(listed(link)) == ["inside"]
    assert path_below([link], str(link), "inside", SETTING) == (allowed / "inside").resolve()


def test_a_link_in_a_circle_leads_nowhere(allowed: Path) -> None:
    (allowed / "one").symlink_to(allowed / "two")
    (allowed / "two").symlink_to(allowed / "one")
    with pytest.raises(ConfigurationError, match="nothing at this place"):
        path_below([allowed], str(allowed), "one", SETTING)
