"""Objects that no option makes safe are refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from radfuse.core.errors import CannotAnonymize
from radfuse.deid import Option
from tests.deid.identifying import as_file, everything
from tests.deid.objects import anonymized, sequence, text, tree_of


@pytest.mark.parametrize(
    ("sop_class_uid", "reason"),
    [
        ("1.2.840.10008.5.1.4.1.1.9.4.1", "voice"),
        ("1.2.840.10008.5.1.4.1.1.9.4.2", "voice"),
        ("1.2.840.10008.5.1.4.1.1.66", "raw data"),
        ("1.2.840.10008.5.1.4.1.1.88.999", "structured report"),
        ("1.2.840.10008.1.3.10", "DICOMDIR"),
    ],
)
def test_what_nobody_can_judge_is_refused(sop_class_uid: str, reason: str) -> None:
    with pytest.raises(CannotAnonymize, match=reason):
        anonymized(as_file(tree_of(text(0x0008_0060, "OT", "CS")), sop_class_uid))


def test_a_directory_is_refused_whatever_it_calls_itself(shared_data: Path) -> None:
    with pytest.raises(CannotAnonymize, match="DICOMDIR"):
        anonymized((shared_data / "media" / "pydicom-filesets" / "DICOMDIR").read_bytes(), *_all())


def _all() -> list[Option]:
    return [option for option in Option if option is not Option.SHIFTED_DATES]


def test_content_in_an_object_that_is_no_report_becomes_a_dummy() -> None:
    done, _ = anonymized(everything())
    assert b"SECRET" not in b"".join(done.pieces)


def test_annotations_of_a_waveform_go() -> None:
    annotation = sequence(0x0040_B020, tree_of(text(0x0070_0006, "SECRET", "ST")))
    _, tree = anonymized(as_file(tree_of(annotation), "1.2.840.10008.5.1.4.1.1.9.1.1"))
    assert tree.get(0x0040_B020) is None


def test_what_a_validator_asks_for_is_there_though_the_table_takes_it() -> None:
    request = sequence(0x0040_A370, tree_of(text(0x0040_1001, "SECRET", "SH")))
    _, tree = anonymized(as_file(tree_of(request)))
    node = tree.get(0x0040_A370)
    assert node is not None
    assert [each.raw(0x0040_1001) for each in node.items or ()] == [b""]
