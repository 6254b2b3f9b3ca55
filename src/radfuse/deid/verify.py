"""An object judged against a profile, whoever made it: what should be gone, what looks original, what is known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from radfuse.core.errors import ConfigurationError
from radfuse.core.sop_classes import MEDIA_STORAGE_DIRECTORY
from radfuse.deid.cleaning import clean_text
from radfuse.deid.dummies import dummy_value
from radfuse.deid.graphics import is_repeating, repeating_action
from radfuse.deid.identifiers import Identifier, Kind, is_telling, of_node
from radfuse.deid.labels import UNLISTED
from radfuse.deid.options import BASIC_CODE, OPTION_CODES, Option, Profile
from radfuse.deid.private import Declared, declared_by, private_decisions
from radfuse.deid.structured import VALUE_TYPE, Contents
from radfuse.deid.table import Action, Rules
from radfuse.dicom import read_file_meta
from radfuse.dicom.tree import Node, Tree, read_tree
from radfuse.dicom.words import decode_values, keyword_of

if TYPE_CHECKING:
    from radfuse.deid.leaks import Identifiers

_SOP_CLASS_UID: Final = 0x0008_0016
_SOP_INSTANCE_UID: Final = 0x0008_0018
_MODALITY: Final = 0x0008_0060
_PATIENT: Final = frozenset((0x0010_0010, 0x0010_0020))
_PATIENT_GROUP: Final = 0x0010
_IDENTITY_REMOVED: Final = 0x0012_0062
_METHOD: Final = 0x0012_0063
_METHOD_CODES: Final = 0x0012_0064
_BURNED_IN: Final = 0x0028_0301
_TEMPORAL_INFORMATION: Final = 0x0028_0303
_DOCUMENT: Final = 0x0042_0011
_PIXEL_DATA: Final = 0x7FE0_0010
_CODE_VALUE: Final = 0x0008_0100
_WITH_TEXT: Final = frozenset(("US", "SC", "XC", "ES", "OP", "GM", "OT", "ECG"))
"""Modalities whose pixels often show names."""
_TEXT_VRS: Final = frozenset(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"))
_MANUFACTURERS: Final = {
    "1.2.840.113619.": "GE",
    "1.3.12.2.1107.5.": "Siemens",
    "1.3.46.670589.": "Philips",
    "1.2.392.200036.9116.": "Toshiba or Canon",
    "1.2.392.200036.9125.": "Fujifilm",
    "1.2.840.113681.": "Hologic",
    "1.2.840.113564.": "Carestream",
    "1.2.246.352.": "Varian",
    "1.3.51.0.7.": "Agfa",
}
"""Roots under which devices make UIDs; no anonymizer does."""
_YEARS_OF_DUMMIES: Final = re.compile(r"(?:1[0-8]\d\d|19000101|19700101|19000102|00010101)")
_DATE: Final = re.compile(r"\d{8}\Z")
_UID: Final = re.compile(r"\d+(?:\.\d+){3,}\Z")


class Severity(StrEnum):
    """How much a finding matters."""

    WRONG = "wrong"
    """It breaks the profile."""
    DOUBTFUL = "doubtful"
    """Somebody should look at it."""


class Finding(NamedTuple):
    """One thing about one object; it names attributes, never values."""

    severity: Severity
    path: tuple[int, ...]
    what: str

    @property
    def place(self) -> str:
        """The sequences and the attribute, for people; "" for the object as a whole."""
        return " > ".join(keyword_of(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})" for tag in self.path)


def _nothing_known() -> Identifiers:
    from radfuse.deid.leaks import Identifiers  # numpy

    return Identifiers(Profile())


@dataclass(slots=True)
class Verifier:
    """Judges objects against ``profile``, or each against the one that it says it follows."""

    profile: Profile | None = None
    _known: Identifiers = field(default_factory=_nothing_known)
    _rules: dict[Profile, Rules] = field(default_factory=dict)
    _contents: Contents | None = None

    def learn_values(self, lines: Iterable[str]) -> None:
        """Look for these in every object: names, numbers, dates (YYYYMMDD) and UIDs, one a line."""
        self._known.learn_values(_identifier(line.strip()) for line in lines if line.strip())

    def learn_original(self, content: bytes | memoryview) -> None:
        """Look for what identifies in this object, in every object. Raises what reading it raises."""
        meta = read_file_meta(content)
        tree = read_tree(content, meta.transfer_syntax_uid, meta.data_offset)
        profile = self.profile or Profile()
        rules = self._rules_of(profile)
        sop_class_uid = tree.ascii(_SOP_CLASS_UID) or meta.sop_class_uid
        self._contents = self._contents or Contents(profile)
        self._known.learn_values(_originals(tree, rules, self._contents, sop_class_uid))

    def judge(self, content: bytes | memoryview) -> list[Finding]:
        """What is wrong with an object, and what is doubtful. Raises NotPart10 or MalformedDataSet."""
        meta = read_file_meta(content)
        tree = read_tree(content, meta.transfer_syntax_uid, meta.data_offset)
        sop_class_uid = tree.ascii(_SOP_CLASS_UID) or meta.sop_class_uid
        declared, findings = _declared(tree)
        profile = self.profile or declared
        self._known.profile = profile
        judge = _Judge(self._rules_of(profile), sop_class_uid, declared_by(tree))
        findings += judge.level(tree, ())
        findings += _pixels(tree)
        if sop_class_uid == MEDIA_STORAGE_DIRECTORY:
            # A directory says nothing of itself, and repeats what its objects may keep: only whom it names counts.
            findings = [each for each in findings if each.path and each.path[-1] >> 16 == _PATIENT_GROUP]
        if tree.ascii(_SOP_INSTANCE_UID) not in ("", meta.sop_instance_uid or tree.ascii(_SOP_INSTANCE_UID)):
            findings.append(_wrong((), "the file meta information names another SOP Instance UID"))
        for leak in self._known.scan([content], meta.transfer_syntax_uid):
            findings.append(_wrong(leak.path, f"it holds a known {leak.kind.value}"))
        return findings

    def _rules_of(self, profile: Profile) -> Rules:
        if profile not in self._rules:
            self._rules[profile] = Rules(profile)
            self._rules[profile].add(UNLISTED)
        return self._rules[profile]


def _wrong(path: tuple[int, ...], what: str) -> Finding:
    return Finding(Severity.WRONG, path, what)


def _doubtful(path: tuple[int, ...], what: str) -> Finding:
    return Finding(Severity.DOUBTFUL, path, what)


def _identifier(text: str) -> Identifier:
    if _DATE.match(text):
        return Identifier(text, Kind.DATE, 0)
    if _UID.match(text):
        return Identifier(text, Kind.UID, 0)
    return Identifier(text, Kind.NAME if "^" in text else Kind.TEXT, 0)


def _originals(
    tree: Tree, rules: Rules, contents: Contents, sop_class_uid: str, parent: int = 0
) -> Iterator[Identifier]:
    # What an option lets stay in a report, a device's number for example, may be anywhere.
    stays = (contents.decisions(tree, may_drop=False) or {}) if VALUE_TYPE in tree.nodes else {}
    for node in tree:
        if node.tag >> 16 & 1 or stays.get(node.tag) is Action.KEEP:
            continue
        action = rules.action(node.tag, node.vr, sop_class_uid, parent)
        if action is not Action.KEEP and not (action is Action.CLEAN and node.items):
            yield from of_node(node, tree.character_sets, rules.profile, action)
            continue
        for item in node.items or ():
            yield from _originals(item, rules, contents, sop_class_uid, node.tag)


# --- what it says of itself --------------------------------------------------------------------------


def _declared(tree: Tree) -> tuple[Profile, list[Finding]]:
    """The profile that it says it follows, and what is wrong with what it says (PS3.15 section E.1.1)."""
    findings = []
    if tree.ascii(_IDENTITY_REMOVED) != "YES":
        findings.append(_wrong((_IDENTITY_REMOVED,), "it does not say that the identity of the patient was removed"))
    node = tree.get(_METHOD_CODES)
    codes = {item.ascii(_CODE_VALUE) for item in (node.items if node else None) or ()}
    if BASIC_CODE[0] not in codes:
        findings.append(_wrong((_METHOD_CODES,), "it does not say that it follows the Basic Profile"))
    if not codes and not tree.ascii(_METHOD):
        findings.append(_wrong((_METHOD,), "it does not say how it was de-identified"))
    options = frozenset(option for option, (code, _) in OPTION_CODES.items() if code in codes)
    try:
        profile = Profile(options)
    except ConfigurationError:
        findings.append(_wrong((_METHOD_CODES,), "it says that dates were both kept and shifted"))
        profile = Profile(options - {Option.FULL_DATES})
    said = tree.ascii(_TEMPORAL_INFORMATION)
    if not said:
        findings.append(_wrong((_TEMPORAL_INFORMATION,), "it does not say what became of dates"))
    elif said != profile.temporal_information:
        findings.append(_wrong((_TEMPORAL_INFORMATION,), "it says something else of dates than its method codes"))
    return profile, findings


def _pixels(tree: Tree) -> Iterator[Finding]:
    if tree.get(_PIXEL_DATA) is None:
        return
    said = tree.ascii(_BURNED_IN)
    if said == "YES":
        yield _wrong((_BURNED_IN,), "it says that its pixels show who the patient is")
    elif said != "NO" and tree.ascii(_MODALITY) in _WITH_TEXT:
        yield _doubtful((_PIXEL_DATA,), "pixels of this kind often show names, and it does not say that these do not")


# --- its elements ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Judge:
    """Judges the elements of one object."""

    rules: Rules
    sop_class_uid: str
    private: Declared

    def level(self, tree: Tree, path: tuple[int, ...], in_dummy: bool = False) -> Iterator[Finding]:
        """Every element of a level and what is below it. ``in_dummy``: a dummy of a sequence has dummies in it."""
        profile = self.rules.profile
        safe_private = Option.PRIVATE in profile
        safe = private_decisions(tree, self.private) if safe_private else {}
        for node in tree:
            here = (*path, node.tag)
            group = node.tag >> 16
            if group & 1:
                if node.tag not in safe and not (safe_private and node.tag & 0xFFFF < _FIRST_PRIVATE):
                    yield _wrong(here, "it is a private attribute that nobody calls safe")
                continue
            if is_repeating(group):
                if repeating_action(tree, node.tag, profile) is Action.REMOVE:
                    yield _wrong(here, "it is of a curve or an overlay")
                continue
            action = self.rules.action(node.tag, node.vr, self.sop_class_uid, path[-1] if path else 0)
            if in_dummy and action in (Action.REMOVE, Action.EMPTY):
                action = Action.DUMMY
            if node.items is None:
                yield from self._element(node, tree.character_sets, action, here)
            else:
                yield from self._sequence(node.items, action, here)

    def _sequence(self, items: list[Tree], action: Action, path: tuple[int, ...]) -> Iterator[Finding]:
        if action in (Action.REMOVE, Action.EMPTY) and any(item.nodes for item in items):
            yield _wrong(path, "it should not be there any more")
            return
        for item in items:
            yield from self.level(item, path, in_dummy=action is Action.DUMMY)

    def _element(
        self, node: Node, character_sets: tuple[str, ...], action: Action, path: tuple[int, ...]
    ) -> Iterator[Finding]:
        raw = bytes(node.value[:_MOST_LOOKED_AT]).strip(b" \0")
        if node.fragments is not None or not raw or action is Action.KEEP:
            return
        texts = decode_values(raw, character_sets, node.vr) if node.vr in _TEXT_VRS else ()
        if node.vr == "UI" or action is Action.UID:
            yield from _of_uids(raw, action, path)
        elif node.tag in _PATIENT:
            if node.tag == min(_PATIENT) and "^" in "".join(texts):
                yield _doubtful(path, "it looks like a name of a person, not like a pseudonym")
        elif action is Action.CLEAN:
            if not _is_dummy(node.vr, raw, texts) and any(clean_text(text) != text for text in texts):
                yield _doubtful(path, "it holds words that cleaning would take out")
        elif node.tag == _DOCUMENT and Option.STRUCTURED_CONTENT in self.rules.profile:
            yield _doubtful(path, "it is a document, which nobody can judge from outside")
        elif action is not Action.SHIFT and not _is_dummy(node.vr, raw, texts):
            yield _wrong(path, _SHOULD[action])
        elif action is Action.REMOVE:
            yield _doubtful(path, "it should not be there any more; it holds nothing that identifies")


_FIRST_PRIVATE: Final = 0x1000
"""Elements below it name the creators of private elements (PS3.5 section 7.8.1)."""
_MOST_LOOKED_AT: Final = 65_536
_SHOULD: Final = {
    Action.REMOVE: "it should not be there any more",
    Action.EMPTY: "it should be empty or hold a dummy",
    Action.DUMMY: "it should hold a dummy, and holds something unlike one",
    Action.UID: "it should hold other UIDs",
}


def _of_uids(raw: bytes, action: Action, path: tuple[int, ...]) -> Iterator[Finding]:
    if action is Action.REMOVE:
        yield _wrong(path, _SHOULD[action])
        return
    for uid in raw.decode("latin-1").split("\\"):
        for root, manufacturer in _MANUFACTURERS.items():
            if uid.startswith(root):
                yield _wrong(path, f"a UID of {manufacturer}'s looks original")
                return


def _is_dummy(vr: str, raw: bytes, texts: tuple[str, ...]) -> bool:
    """Whether a value could have been put there by somebody who anonymized."""
    if raw == dummy_value(vr).strip(b" \0"):
        return True
    if vr in ("DA", "DT"):
        return _YEARS_OF_DUMMIES.match(raw.decode("latin-1")) is not None
    if vr in _TEXT_VRS:
        return not any(is_telling(word) for text in texts for word in re.findall(r"[^\W_]+", text))
    return not raw.strip(b"0.:Y \0")
