"""The ten checks of MIDI-B, at 100 %: every attribute x three levels x every character set x private attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TypeAlias

import pytest

from radfuse.core.errors import CannotAnonymize
from radfuse.deid import Anonymized, Anonymizer, Option, Profile, ProjectKey
from radfuse.deid.leaks import scan
from radfuse.deid.table import Action, Rules
from radfuse.dicom import read_file_meta
from radfuse.dicom.tree import Tree, read_tree
from radfuse.dicom.words import decode_values, encode_text
from tests.deid import identifying

KEY = ProjectKey(b"a key of the tests that is long enough")
SETS = [pytest.param(terms, id="+".join(filter(None, terms)) or "ASCII") for terms in identifying.PEOPLE]
_DATES = ("DA", "DT")
_TYPE_1 = (0x0008_0016, 0x0008_0018, 0x0020_000D, 0x0020_000E, 0x0010_0010, 0x0010_0020)


class Pair:
    """An object before and after."""

    def __init__(self, terms: tuple[str, ...], *options: Option, uid: str = "1.2.3.4.5") -> None:
        self.terms = terms
        self.profile = Profile(frozenset(options))
        self.content = identifying.person(terms, uid)
        self.done: Anonymized = Anonymizer(self.profile, KEY).anonymize(self.content)
        self.file = b"".join(self.done.pieces)
        self.before, self.after = levels_of(self.content), levels_of(self.file)

    def both(self) -> Iterator[tuple[Tree, Tree]]:
        """The levels, before and after."""
        yield from zip(self.before, self.after, strict=True)


@lru_cache(maxsize=64)
def pair_of(terms: tuple[str, ...], *options: Option, uid: str = "1.2.3.4.5") -> Pair:
    return Pair(terms, *options, uid=uid)


Check: TypeAlias = Callable[[Pair], Iterator[bool]]


def levels_of(content: bytes) -> list[Tree]:
    meta = read_file_meta(content)
    found = [read_tree(content, meta.transfer_syntax_uid, meta.data_offset)]
    for tag in (identifying.OUTER, identifying.INNER):
        node = found[-1].get(tag)
        assert node is not None
        assert node.items
        found.append(node.items[0])
    return found


def tag_retained(pair: Pair) -> Iterator[bool]:
    yield from (level.get(tag) is not None for level in pair.after for tag in identifying.KEPT)


def text_notnull(pair: Pair) -> Iterator[bool]:
    yield from (bool(pair.after[0].ascii(tag)) for tag in _TYPE_1)


def text_retained(pair: Pair) -> Iterator[bool]:
    yield from (
        level.raw(tag).strip() == value.strip() for level in pair.after for tag, (_, value) in identifying.KEPT.items()
    )


def text_removed(pair: Pair) -> Iterator[bool]:
    yield b"SECRET" not in pair.file
    for word in identifying.PEOPLE[pair.terms]:
        yield encode_text(word, pair.terms) not in pair.file
        yield word.encode("utf-8") not in pair.file
    rules = Rules(pair.profile)
    for depth, (before, after) in enumerate(pair.both()):
        parent = (0, identifying.OUTER, identifying.INNER)[depth]
        for row in identifying.rows():
            old, new = before.get(row.tag), after.get(row.tag)
            action = rules.action(row.tag, row.vr, identifying.CT_IMAGE, parent)
            if old is not None and action is not Action.KEEP and new is not None and new.items is None:
                yield bytes(new.value).strip(b"\0 ") != bytes(old.value).strip(b"\0 ")


def uid_changed(pair: Pair) -> Iterator[bool]:
    for before, after in pair.both():
        for row in identifying.rows():
            if row.vr == "UI" and row.basic == "U":
                yield after.ascii(row.tag) not in ("", before.ascii(row.tag))
    yield b"1.2.3." not in pair.file


def uid_consistent(pair: Pair) -> Iterator[bool]:
    mapped: dict[str, str] = {}
    for before, after in (*pair.both(), *pair_of(pair.terms, *pair.profile.options, uid="1.2.3.4.6").both()):
        for row in identifying.rows():
            if row.vr == "UI" and row.basic == "U" and row.tag != 0x0008_0018:
                yield mapped.setdefault(before.ascii(row.tag), after.ascii(row.tag)) == after.ascii(row.tag)
    yield len(set(mapped.values())) == len(mapped)


def patid_consistent(pair: Pair) -> Iterator[bool]:
    other = pair_of(pair.terms, *pair.profile.options, uid="1.2.3.4.6")
    ids = {level.ascii(0x0010_0020) for level in (*pair.after, *other.after)}
    yield len(ids) == 1
    yield next(iter(ids)).startswith("ANON-")


def pixels_retained(pair: Pair) -> Iterator[bool]:
    yield bytes(pair.after[0].raw(0x7FE0_0010)) == identifying.PIXELS


@pytest.mark.parametrize("terms", SETS)
@pytest.mark.parametrize(
    "check",
    [
        tag_retained,
        text_notnull,
        text_retained,
        text_removed,
        uid_changed,
        uid_consistent,
        patid_consistent,
        pixels_retained,
    ],
)
def test_a_check_passes_everywhere(check: Check, terms: tuple[str, ...]) -> None:
    results = list(check(pair_of(terms)))
    assert results
    assert all(results)


@pytest.mark.parametrize("terms", SETS)
def test_every_date_is_moved_by_the_same_days(terms: tuple[str, ...]) -> None:
    pair = pair_of(terms, Option.SHIFTED_DATES)
    moved = set()
    for before, after in pair.both():
        for row in identifying.rows():
            new = after.ascii(row.tag)
            if row.vr in _DATES and Option.SHIFTED_DATES in row.options:
                assert before.ascii(row.tag)[:8] == "20231123"
                moved.add(new[:8])
    assert len(moved) == 1
    assert moved != {"20231123"}


def test_pixels_that_may_show_a_name_are_hidden_or_the_object_is_refused() -> None:
    top = levels_of(identifying.person(()))[0]
    tree = Tree({node.tag: node for node in top if node.tag >> 16 not in (0x0011, 0x0029, 0x5000, 0x6000, 0x6002)})
    ultrasound = identifying.as_file(tree, "1.2.840.10008.5.1.4.1.1.6.1")
    with pytest.raises(CannotAnonymize):
        Anonymizer(Profile(), KEY).anonymize(ultrasound)


@pytest.mark.parametrize("terms", SETS)
@pytest.mark.parametrize("options", [(), (Option.DESCRIPTORS, Option.SHIFTED_DATES, Option.PATIENT)])
def test_the_leak_scan_finds_nothing(terms: tuple[str, ...], options: tuple[Option, ...]) -> None:
    pair = pair_of(terms, *options)
    assert scan(pair.done.changes, pair.done.pieces, pair.profile) == []


@pytest.mark.parametrize("terms", SETS)
def test_names_are_read_in_their_character_set(terms: tuple[str, ...]) -> None:
    top = levels_of(identifying.person(terms))[0]
    family, given = identifying.PEOPLE[terms]
    assert decode_values(top.raw(0x0010_0010), top.character_sets, "PN") == (f"{family}^{given}",)
