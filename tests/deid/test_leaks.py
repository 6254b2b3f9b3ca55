"""The leak scan: a value that is still there is found in every encoding, and what is nobody's is no leak."""

from __future__ import annotations

import base64
import contextlib
import html
import struct
import zlib
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest

from radfuse.core.errors import CannotAnonymize, TextNotEncodable
from radfuse.core.transfer_syntaxes import DEFLATED_LITTLE, EXPLICIT_LITTLE
from radfuse.deid import Anonymizer, Option, Profile, ProjectKey, Proof
from radfuse.deid.engine import Change
from radfuse.deid.identifiers import Kind
from radfuse.deid.leaks import Leak, scan
from radfuse.deid.table import Action
from radfuse.dicom import FileMeta, build_file_meta
from radfuse.dicom.tree import Node, Tree, write_tree
from radfuse.dicom.words import encode_text
from tests.deid import identifying

KEY = ProjectKey(b"a key of the tests that is long enough")
NAME = 0x0010_0010
BIRTH_DATE = 0x0010_0030
COMMENT = 0x0028_4000
SETS = [pytest.param(terms, id="+".join(filter(None, terms)) or "ASCII") for terms in identifying.PEOPLE]


def changes(tag: int = NAME, vr: str = "PN", value: bytes = b"Quillfeather^Ambrosius") -> list[Change]:
    return [Change((tag,), Node(tag, vr, value), (), Action.REMOVE)]


def output(value: bytes, tag: int = COMMENT, vr: str = "LT", syntax: str = EXPLICIT_LITTLE) -> list[bytes]:
    meta = build_file_meta(FileMeta(identifying.CT_IMAGE, "1.2.3", syntax))
    return [meta, *map(bytes, write_tree(Tree({tag: Node(tag, vr, value)}), syntax))]


ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "as it was": lambda value: value,
    "upper case": bytes.upper,
    "lower case": bytes.lower,
    "UTF-16 LE": lambda value: value.decode().encode("utf-16-le"),
    "UTF-16 BE": lambda value: value.decode().encode("utf-16-be"),
    "base64": base64.b64encode,
    "base64, one byte before": lambda value: base64.b64encode(b"x" + value),
    "base64, two bytes before": lambda value: base64.b64encode(b"xy" + value),
    "hexadecimal": lambda value: value.hex().encode(),
    "percent": lambda value: b"".join(b"%%%02X" % byte for byte in value),
    "XML entities": lambda value: "".join(f"&#{byte};" for byte in value).encode(),
    "PDF": lambda value: b"%PDF-1.4 stream\n" + zlib.compress(b"BT (" + value + b") Tj") + b"\nendstream",
    "PDF in pieces": lambda value: (
        b"%PDF-1.4 stream\n" + zlib.compress(b"[(" + value[:3] + b") -20 (" + value[3:] + b")] TJ") + b"\nendstream"
    ),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("value", [b"Quillfeather", b"Ambrosius", b"Ambrosius Quillfeather"])
@pytest.mark.parametrize("shift", range(4))
def test_a_name_is_found_in_every_encoding(encoding: str, value: bytes, shift: int) -> None:
    text = b"." * shift + ENCODINGS[encoding](value)
    assert Leak((COMMENT,), NAME, Kind.NAME) in scan(changes(), output(text, vr="LT"))


def pairs() -> Iterator[tuple[tuple[str, ...], bytes]]:
    """The set in which a name is stored, and the name in each set that has it."""
    for stored, (family, _) in identifying.PEOPLE.items():
        for left in identifying.PEOPLE:
            with contextlib.suppress(TextNotEncodable):
                yield stored, encode_text(f"seen by {family}", left)


@pytest.mark.parametrize(("stored", "text"), list(pairs()))
def test_a_name_is_found_in_every_character_set_that_has_it(stored: tuple[str, ...], text: bytes) -> None:
    family, given = identifying.PEOPLE[stored]
    before = Node(NAME, "PN", encode_text(f"{family}^{given}", stored))
    assert scan([Change((NAME,), before, stored, Action.REMOVE)], output(text))


@pytest.mark.parametrize("stored", SETS)
def test_a_name_is_found_as_percent_and_entities_whatever_its_letters(stored: tuple[str, ...]) -> None:
    family, given = identifying.PEOPLE[stored]
    before = [Change((NAME,), Node(NAME, "PN", encode_text(f"{family}^{given}", stored)), stored, Action.REMOVE)]
    assert scan(before, output(quote(family).encode(), vr="UT"))
    assert scan(before, output(html.escape(family).encode("ascii", "xmlcharrefreplace"), vr="UT"))


@pytest.mark.parametrize(
    "text",
    [
        "19540229",
        "1954-02-29",
        "29.02.1954",
        "02/29/1954",
        "29-Feb-1954",
        "Feb 29, 1954",
        "FEB 29, 1954",
        "19540229101112",
    ],
)
def test_a_date_is_found_as_people_write_it(text: str) -> None:
    assert scan(changes(BIRTH_DATE, "DA", b"19540229"), output(f"born {text}".encode()))


@pytest.mark.parametrize("text", ["119540229", "1954022977", "1954-02-28", "0.19540229"])
def test_digits_of_another_number_are_no_date(text: str) -> None:
    found = scan(changes(BIRTH_DATE, "DA", b"19540229"), output(text.encode()))
    assert not found or text.startswith("0.")


def test_a_uid_is_found_and_a_longer_one_is_another() -> None:
    before = changes(0x0008_0018, "UI", b"1.2.826.0.77.1\0")
    assert scan(before, output(b"see 1.2.826.0.77.1"))
    assert scan(before, output(b"see 1.2.826.0.77.1.5"))
    assert not scan(before, output(b"see 1.2.826.0.77.12"))


def test_short_names_count_as_words_only() -> None:
    before = changes(value=b"Lee^Kim")
    assert scan(before, output(b"Dr. LEE was here"))
    assert scan(before, output(b"seen by kim"))
    assert not scan(before, output(b"sleek skimming"))


@pytest.mark.parametrize("value", [b"HEAD^PHANTOM", b"Test", b"ANONYMIZED", b"1"])
def test_what_everybody_has_is_no_leak(value: bytes) -> None:
    assert not scan(changes(value=value), output(b"head of a phantom, test 1, ANONYMIZED"))


@pytest.mark.parametrize("value", [b"Quillfeather", b"19540229"])
def test_pixels_are_searched_too(value: bytes) -> None:
    noise = bytes(struct.pack("<I", number * 2_654_435_761 & 0xFFFF_FFFF)[0] for number in range(200_000))
    before = [*changes(), *changes(BIRTH_DATE, "DA", b"19540229")]
    for place in (0, 1, 2, 3, 70_001, len(noise)):
        pixels = noise[:place] + value + noise[place:]
        assert scan(before, output(pixels + b"\0" * (len(pixels) & 1), 0x7FE0_0010, "OW"))
    assert not scan(before, output(noise, 0x7FE0_0010, "OW"))


@pytest.mark.parametrize("count", [4_000, 40_000])
def test_three_pixels_that_are_letters_in_utf_16_are_no_name(count: int) -> None:
    pixels = struct.pack(f"<{count}H", *([7] * (count - 3)), *b"Kim")
    name = changes(value=b"Kim^Quillfeather")
    assert not scan(name, output(pixels, 0x7FE0_0010, "OW"))
    assert scan(name, output(pixels + "Quillfeather".encode("utf-16-le"), 0x7FE0_0010, "OW"))


def test_a_value_across_two_chunks_of_the_search_is_found() -> None:
    pixels = bytes((1 << 20) - 5) + b"Quillfeather" + bytes(1 << 20)
    assert scan(changes(), output(pixels + b"\0", 0x7FE0_0010, "OW"))


def test_a_deflated_data_set_is_opened() -> None:
    assert scan(changes(), output(b"Quillfeather", syntax=DEFLATED_LITTLE))
    assert not scan(changes(), output(b"nobody", syntax=DEFLATED_LITTLE))


def test_a_leak_names_attributes_and_never_the_value() -> None:
    (leak,) = scan(changes(), output(b"Quillfeather"))
    assert str(leak) == "ImagePresentationComments still holds a name of PatientName"
    assert "quill" not in str(leak).lower()


def test_the_file_meta_information_is_searched() -> None:
    head = build_file_meta(FileMeta(identifying.CT_IMAGE, "1.2.3", EXPLICIT_LITTLE, "QUILLFEATHER"))
    assert scan(changes(), [head, *output(b"nothing")[1:]]) == [Leak((), NAME, Kind.NAME)]


# --- a run ---------------------------------------------------------------------------------------


def file_of(*nodes: Node, name: bytes = b"Quillfeather^Ambrosius") -> bytes:
    tree = Tree({NAME: Node(NAME, "PN", name)})
    for node in (Node(0x0020_000D, "UI", b"1.2.826.0.77.9"), *nodes):
        tree.put(node)
    return identifying.as_file(tree)


def test_an_unlisted_text_with_a_name_in_it_is_cleaned_and_the_rest_stays() -> None:
    done = Anonymizer(Profile(), KEY).anonymize(file_of(Node(0x0018_0024, "SH", b"QUILLFEATHER tse")))
    Proof(Profile()).prove(done)
    assert done.tree.ascii(0x0018_0024) == "tse"
    assert b"QUILLFEATHER" not in b"".join(done.pieces)
    assert any("SequenceName" in warning for warning in done.warnings)


def test_what_cannot_be_cleaned_is_refused_by_name() -> None:
    done = Anonymizer(Profile(), KEY).anonymize(file_of(Node(0x7FE0_0010, "OB", b"..Quillfeather..")))
    with pytest.raises(CannotAnonymize, match=r"PixelData still holds a name of PatientName") as refused:
        Proof(Profile()).prove(done)
    assert "uillf" not in str(refused.value)


def test_what_was_learned_from_one_object_is_looked_for_in_the_others_of_its_study() -> None:
    proof, anonymizer = Proof(Profile()), Anonymizer(Profile(), KEY)
    proof.prove(anonymizer.anonymize(file_of()))
    with pytest.raises(CannotAnonymize):
        proof.prove(anonymizer.anonymize(file_of(Node(0x7FE0_0010, "OB", b"..Quillfeather.."), name=b"")))


def test_what_an_option_lets_stay_is_no_leak() -> None:
    profile = Profile(frozenset({Option.INSTITUTION, Option.FULL_DATES}))
    nodes = Node(0x0008_0080, "LO", b"Quillhouse Infirmary"), Node(0x0008_0020, "DA", b"20231123")
    hidden = Node(0x0029_1001, "DA", b"20231123"), Node(0x0008_0116, "ST", b"Quillhouse Infirmary")
    done = Anonymizer(profile, KEY).anonymize(file_of(*nodes, *hidden))
    Proof(profile).prove(done)
    assert done.tree.ascii(0x0008_0080) == "Quillhouse Infirmary"
