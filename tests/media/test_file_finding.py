"""Files looked for by their ids: found however the medium was copied, never outside of the set."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from radfuse.core.errors import FileNotInSet, UnsafeFileId
from radfuse.media import find_below


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A set with one file, and a file beside it."""
    (tmp_path / "secret").write_bytes(b"not of the set")
    (tmp_path / "set" / "DICOM" / "SERIES1").mkdir(parents=True)
    (tmp_path / "set" / "DICOM" / "SERIES1" / "IM000001").write_bytes(b"of the set")
    return tmp_path / "set"


def test_a_file_is_found_by_its_id(root: Path) -> None:
    assert find_below(root, ("DICOM", "SERIES1", "IM000001")).read_bytes() == b"of the set"


@pytest.mark.parametrize("name", ["im000001", "IM000001.", "IM000001;1", "IM000001.;1", "im000001.;12"])
def test_a_name_that_a_file_system_changed_is_found(root: Path, name: str) -> None:
    folder = root / "DICOM" / "SERIES1"
    (folder / "IM000001").rename(folder / name)
    (root / "DICOM").rename(root / "dicom")
    assert find_below(root, ("DICOM", "SERIES1", "IM000001")).name == name


@pytest.mark.parametrize(
    "file_id",
    [("dicom", "series1", "im000001"), ("DICOM", "SERIES1", "IM000001."), ("DICOM/SERIES1", "IM000001 ")],
    ids=["lower case", "dotted", "slashes"],
)
def test_an_id_that_is_not_as_it_should_be_is_followed(root: Path, file_id: tuple[str, ...]) -> None:
    assert find_below(root, file_id).name == "IM000001"


def test_an_extension_is_part_of_the_name(root: Path) -> None:
    (root / "A.DCM").write_bytes(b"")
    assert find_below(root, ("a.dcm",)).name == "A.DCM"
    with pytest.raises(FileNotInSet):
        find_below(root, ("A",))


def test_of_two_spellings_the_exact_one_is_taken(root: Path) -> None:
    folder = root / "DICOM" / "SERIES1"
    (folder / "im000001").write_bytes(b"another")
    assert find_below(root, ("DICOM", "SERIES1", "IM000001")).name == "IM000001"
    assert find_below(root, ("DICOM", "SERIES1", "im000001")).name == "im000001"


@pytest.mark.parametrize(
    "file_id",
    [
        *((), ("",), ("..", "secret"), ("DICOM", "..", "..", "secret"), ("../secret",), ("..\\secret",)),
        *(("", "etc", "passwd"), ("/etc/passwd",), ("\\\\server\\share",), ("C:", "secret"), ("C:\\secret",)),
        *((".",), (". .", "secret"), ("...", "A"), ("A\0B",), ("A\nB",), ("DICOM", ""), ("A",) * 33, ("A" * 256,)),
    ],
)
def test_an_id_that_leads_elsewhere_is_not_followed(root: Path, file_id: tuple[str, ...]) -> None:
    with pytest.raises(UnsafeFileId):
        find_below(root, file_id)


def test_a_link_out_of_the_set_is_not_followed(root: Path) -> None:
    (root / "LINK").symlink_to(root.parent / "secret")
    (root / "FOLDER").symlink_to(root.parent)
    for file_id in (("LINK",), ("link",), ("FOLDER", "secret"), ("FOLDER", "SECRET")):
        with pytest.raises(UnsafeFileId, match="link"):
            find_below(root, file_id)


def test_a_link_within_the_set_is_followed(root: Path) -> None:
    (root / "SAME").symlink_to(root / "DICOM")
    assert find_below(root, ("SAME", "SERIES1", "IM000001")).read_bytes() == b"of the set"


def test_a_set_that_is_itself_reached_by_a_link_is_read(root: Path, tmp_path: Path) -> None:
    (tmp_path / "mounted").symlink_to(root)
    assert find_below(tmp_path / "mounted", ("DICOM", "SERIES1", "IM000001")).is_file()


def test_what_is_no_file_is_not_opened(root: Path) -> None:
    os.mkfifo(root / "PIPE")
    for file_id in (("PIPE",), ("DICOM",)):
        with pytest.raises(UnsafeFileId, match="no file"):
            find_below(root, file_id)


@pytest.mark.parametrize(
    "file_id", [("DICOM", "NONE"), ("NONE", "IM"), ("DICOM", "SERIES1", "IM000001", "BELOW")], ids=str
)
def test_a_missing_file_says_so(root: Path, file_id: tuple[str, ...]) -> None:
    with pytest.raises(FileNotInSet) as refused:
        find_below(root, file_id)
    assert refused.value.file_id == "\\".join(file_id)
    assert "NONE" not in str(refused.value), "names on foreign media may be those of patients"


def test_a_link_to_nowhere_is_a_missing_file(root: Path) -> None:
    (root / "GONE").symlink_to(root / "NOTHING")
    with pytest.raises(FileNotInSet):
        find_below(root, ("GONE",))


def test_a_folder_of_many_files_is_listed_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(50):
        (root / f"im{number}").write_bytes(b"")
    listed: list[str] = []
    real = os.listdir

    def counted(path: str) -> list[str]:
        listed.append(path)
        return real(path)

    monkeypatch.setattr("os.listdir", counted)
    assert [find_below(root, (f"IM{number}",)).name for number in range(50)] == [f"im{number}" for number in range(50)]
    assert len(listed) == 1
