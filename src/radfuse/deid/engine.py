"""One object anonymized: every element at every level judged by the table, and what was done written into it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from radfuse import __version__
from radfuse.core.errors import CannotAnonymize, TextNotEncodable
from radfuse.deid.admission import Admission, admit
from radfuse.deid.dates import is_one, shifted
from radfuse.deid.documents import Documents
from radfuse.deid.dummies import code_item, dummy_node
from radfuse.deid.graphics import WRITTEN, is_repeating, repeating_action
from radfuse.deid.labels import UNLISTED, cleaned, numbered
from radfuse.deid.options import BASIC_CODE, OPTION_CODES, Option, Profile
from radfuse.deid.pixels import Blanked, PixelPolicy, PixelStep
from radfuse.deid.private import CHARACTERISTICS, Declared, declared_by, private_decisions, still_declared
from radfuse.deid.pseudonyms import ProjectKey, Pseudonyms
from radfuse.deid.required import AT_THE_TOP, REQUIRED, if_nothing_is_left
from radfuse.deid.structured import CODE_MEANING, VALUE_TYPE, VALUES, Contents, code_decisions
from radfuse.deid.table import EDITION, Action, Rules, table
from radfuse.dicom import FileMeta, build_file_meta, read_file_meta
from radfuse.dicom.tree import Node, Tree, Value, read_tree, write_tree
from radfuse.dicom.words import decode_text, decode_values, encode_text, fold_groups, keyword_of

PATIENT_NAME: Final = 0x0010_0010
PATIENT_ID: Final = 0x0010_0020
ISSUER_OF_PATIENT_ID: Final = 0x0010_0021
PATIENT_BIRTH_DATE: Final = 0x0010_0030
PATIENT_AGE: Final = 0x0010_1010
SOP_CLASS_UID: Final = 0x0008_0016
SOP_INSTANCE_UID: Final = 0x0008_0018
_IDENTITY_REMOVED: Final = 0x0012_0062
_METHOD: Final = 0x0012_0063
_METHOD_CODES: Final = 0x0012_0064
_TEMPORAL_INFORMATION: Final = 0x0028_0303
_REFERENCES: Final = frozenset((0x0008_1140, 0x0008_2112))
"""Those that the table lets stay for the sake of what belongs together (X/Z/U*)."""
_OF_A_REFERENCE: Final = frozenset(
    (0x0008_1150, 0x0008_1155, 0x0008_1160, 0x0020_0020, 0x0028_135A, 0x0040_A170, 0x0062_000B)
)
"""What they may hold: classes, instances, frames and segments, and why (PS3.3 Tables 10-3 and C.7.6.1)."""
_OF_UIDS: Final = frozenset("0123456789.")
_OLDEST_YEARS: Final = 89
_LONGEST_METHOD: Final = 64
_NOTHING: Final[Mapping[int, Action]] = {}
_TEMPORAL_VRS: Final = frozenset(("DA", "DT", "TM"))
_SHIFTED_VRS: Final = _TEMPORAL_VRS | {"SH"}
_TIME_ZONE: Final = 0x0008_0201
_DIRECTORY_GROUP: Final = 0x0004
"""Of directories: it does not stand in an object, and no more than commands and file meta information before it."""
_WRITTEN_VRS: Final = frozenset(("LO", "LT", "SH", "ST", "UC", "UT"))
_NUMBER_VRS: Final = frozenset(("DS", "IS"))
_OF_NUMBERS: Final = b"0123456789+-.eE\\ \0"
_OF_UID_VALUES: Final = b"0123456789.\\ \0"
_AGE: Final = re.compile(rb"\d{3}[DWMY]")


class Change(NamedTuple):
    """What was done with one element."""

    path: tuple[int, ...]
    """The tags of the sequences that hold it and its own."""
    before: Node
    character_sets: tuple[str, ...]
    action: Action

    def texts(self) -> tuple[str, ...]:
        """What the value was, when it is text."""
        if self.before.items is not None or self.before.fragments is not None:
            return ()
        return decode_values(bytes(self.before.value), self.character_sets, self.before.vr)


@dataclass(slots=True)
class Anonymized:
    """An object as it may leave, and what was done."""

    pieces: list[Value]
    """The whole Part 10 file, to be written one after the other; they may be views of what was read."""
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    tree: Tree
    changes: list[Change] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    blanked: Blanked | None = None
    """What was taken out of the pixels."""


class Anonymizer:
    """The Basic Profile with the options of ``profile``, under one project key."""

    def __init__(
        self,
        profile: Profile,
        key: ProjectKey,
        documents: Documents | None = None,
        pixels: PixelPolicy | None = None,
    ) -> None:
        self.profile = profile
        self.pixels = PixelStep(profile, pixels)
        self.documents = documents or Documents()
        self.contents = Contents(profile)
        self.pseudonyms = Pseudonyms(key)
        self.rules = Rules(profile)
        self.rules.add({**UNLISTED, **(WRITTEN if Option.GRAPHICS in profile else {})})
        self._method = _method(profile)

    def anonymize(self, content: bytes | memoryview) -> Anonymized:
        """A Part 10 file, or a bare data set.

        Raises NotPart10 or MalformedDataSet for what cannot be read and CannotAnonymize for what the
        profile cannot make safe.
        """
        meta = read_file_meta(content)
        tree = read_tree(content, meta.transfer_syntax_uid, meta.data_offset)
        sop_class_uid = tree.ascii(SOP_CLASS_UID) or meta.sop_class_uid
        old_uid = tree.ascii(SOP_INSTANCE_UID) or meta.sop_instance_uid
        if not sop_class_uid or not old_uid:
            raise CannotAnonymize("it does not say what it is: no SOP Class UID or no SOP Instance UID")
        if not _OF_UIDS.issuperset(sop_class_uid + meta.transfer_syntax_uid):
            raise CannotAnonymize("its SOP Class UID or its Transfer Syntax UID is none")
        admission = admit(tree, sop_class_uid, self.profile, self.documents)
        pixels = self.pixels.clean(tree, sop_class_uid, meta.transfer_syntax_uid)
        walk = _Walk(self, sop_class_uid, identity_of(tree), admission, declared_by(tree))
        said_of_private = tree.get(CHARACTERISTICS)
        walk.level(tree, (), admission.decisions)
        for node in (*admission.replaced, still_declared(said_of_private, tree)):
            if node is not None:
                tree.put(node)
        self._sign(tree, walk)
        pixels.sign(tree)
        syntax = pixels.transfer_syntax_uid
        is_kept = Option.UIDS in self.profile and _OF_UIDS.issuperset(old_uid)
        sop_instance_uid = old_uid if is_kept else self.pseudonyms.uid(old_uid)
        head = build_file_meta(FileMeta(sop_class_uid, sop_instance_uid, syntax))
        pieces = [head, *write_tree(tree, syntax)]
        warnings = walk.warnings + pixels.warnings
        return Anonymized(pieces, sop_class_uid, sop_instance_uid, syntax, tree, walk.changes, warnings, pixels.blanked)

    def close(self) -> None:
        """End the process that blanks pixels, where one was started."""
        self.pixels.close()

    def _sign(self, tree: Tree, walk: _Walk) -> None:
        """Say in the object that it was done, how, and by which edition (PS3.15 section E.1)."""
        tree.put(Node(PATIENT_NAME, "PN", walk.pseudonym))
        tree.put(Node(PATIENT_ID, "LO", walk.pseudonym))
        tree.put(Node(_IDENTITY_REMOVED, "CS", b"YES"))
        tree.put(Node(_METHOD, "LO", self._method))
        codes = [BASIC_CODE, *(OPTION_CODES[option] for option in Option if option in self.profile)]
        tree.put(Node(_METHOD_CODES, "SQ", items=[code_item(value, "DCM", meaning) for value, meaning in codes]))
        tree.put(Node(_TEMPORAL_INFORMATION, "CS", self.profile.temporal_information.encode("ascii")))


def identity_of(tree: Tree) -> str:
    """What makes two objects the same patient's: ID and issuer; without an ID the name and the date of birth."""
    patient_id = _text(tree, PATIENT_ID, "LO")
    if patient_id:
        return f"id\0{patient_id}\0{_text(tree, ISSUER_OF_PATIENT_ID, 'LO')}"
    name = "\0".join(fold_groups(_text(tree, PATIENT_NAME, "PN")))
    return f"name\0{name}\0{tree.ascii(PATIENT_BIRTH_DATE)}"


def is_readable(raw: bytes, character_sets: tuple[str, ...], vr: str) -> bool:
    """Whether the character sets that are named have every letter of a text (PS3.5 section 6.1)."""
    if raw.isascii() and b"\x1b" not in raw:
        return True
    try:
        # With escapes there are several ways to write the same.
        return encode_text(decode_text(raw, character_sets, vr), character_sets) == raw or b"\x1b" in raw
    except TextNotEncodable:
        return False


def _empty(node: Node) -> Node:
    return Node(node.tag, node.vr, items=[] if node.items is not None else None)


def _text(tree: Tree, tag: int, vr: str) -> str:
    return "\\".join(decode_values(tree.raw(tag), tree.character_sets, vr))


def _method(profile: Profile) -> bytes:
    """De-identification Method (0012,0063)."""
    values = [f"Radfuse {__version__}", EDITION, "Basic Profile"]
    values += sorted(str(option) for option in profile.options)
    return "\\".join(value[:_LONGEST_METHOD] for value in values).encode("ascii")


@dataclass(slots=True)
class _Walk:
    """One object's way through the table."""

    owner: Anonymizer
    sop_class_uid: str
    identity: str
    admission: Admission
    declared: Declared
    changes: list[Change] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    pseudonym: bytes = b""
    days: int = 0

    def __post_init__(self) -> None:
        """Look up the patient."""
        self.pseudonym = self.owner.pseudonyms.patient(self.identity).encode("ascii")
        self.days = self.owner.pseudonyms.days(self.identity)
        self.warnings += self.admission.warnings

    def level(self, tree: Tree, path: tuple[int, ...], decided: Mapping[int, Action] = _NOTHING) -> None:
        """Every element of a level and what is below it; ``decided``: for this level, whatever the table says."""
        if Option.PRIVATE in self.owner.profile:
            decided = {**decided, **private_decisions(tree, self.declared)}
        for node in list(tree):
            action = decided.get(node.tag) or self._action(node, tree, path)
            after = self._after(node, action, tree, path)
            if after is node:
                continue
            self.changes.append(Change((*path, node.tag), node, tree.character_sets, action))
            if after is None:
                del tree.nodes[node.tag]
            else:
                tree.nodes[node.tag] = after

    def _action(self, node: Node, tree: Tree, path: tuple[int, ...]) -> Action:
        group = node.tag >> 16
        if group & 1 or group < _DIRECTORY_GROUP or (group == _DIRECTORY_GROUP and node.tag not in table().rows):
            return Action.REMOVE
        if is_repeating(group):
            return repeating_action(tree, node.tag, self.owner.profile)
        return self.owner.rules.action(node.tag, node.vr, self.sop_class_uid, path[-1] if path else AT_THE_TOP)

    def _items(self, node: Node, path: tuple[int, ...]) -> Node | None:
        """A sequence that stays, with those of its items that may."""
        items, within = node.items or [], (*path, node.tag)
        kept = []
        for item in items:
            decided: Mapping[int, Action] | None = _NOTHING
            if VALUE_TYPE in item.nodes:
                decided = self.owner.contents.decisions(item, self.admission.may_drop_items)
            elif CODE_MEANING in item.nodes:
                decided = code_decisions(item, within)
            if decided is None:
                self._drop(item, within)
                continue
            if node.tag in _REFERENCES:
                item.nodes = {tag: each for tag, each in item.nodes.items() if tag in _OF_A_REFERENCE}
            self.level(item, within, decided)
            kept.append(item)
        node.items = kept
        return node if kept or not items else None

    def _drop(self, item: Tree, within: tuple[int, ...]) -> None:
        """Note the values of a content item, and of those below it, that goes as a whole."""
        for _, node in item.walk():
            if node.tag in VALUES:
                self.changes.append(Change((*within, node.tag), node, item.character_sets, Action.REMOVE))

    def _after(self, node: Node, action: Action, tree: Tree, path: tuple[int, ...]) -> Node | None:
        """The element as it stays; None when it does not."""
        if node.items is not None and action in (Action.KEEP, Action.CLEAN):
            return self._items(node, path)
        match action:
            case Action.REMOVE:
                required = REQUIRED.get((path[-1] if path else AT_THE_TOP, node.tag))
                after = self._after(node, required, tree, path) if required else None
            case Action.KEEP:
                after = self._kept(node, tree, path)
            case Action.EMPTY:
                after = self._pseudonymous(node, tree) or _empty(node)
            case Action.DUMMY:
                after = self._pseudonymous(node, tree) or self._dummy(node, tree)
            case Action.UID:
                after = self._uids(node, tree)
            case Action.SHIFT:
                after = self._shifted(node, tree)
            case Action.CLEAN:
                after = self._cleaned(node, tree, path)
        return after

    def _pseudonymous(self, node: Node, tree: Tree) -> Node | None:
        """Name and ID of the patient, wherever they stand, and labels that are told apart by their numbers."""
        if node.tag in (PATIENT_NAME, PATIENT_ID):
            return Node(node.tag, node.vr, self.pseudonym)
        label = numbered(node, tree)
        return Node(node.tag, node.vr, label) if label else None

    def _dummy(self, node: Node, tree: Tree) -> Node:
        return self._uids(node, tree) if node.vr == "UI" else dummy_node(node)

    def _uids(self, node: Node, tree: Tree) -> Node:
        """UIDs, and identifiers that are to be the same wherever they stand; of those known words stay."""
        if node.vr != "UI" and cleaned(node, tree) == bytes(node.value).rstrip(b" \0"):
            return node
        old = bytes(node.value).decode("latin-1").rstrip(" \0").split("\\")
        return Node(node.tag, node.vr, "\\".join(map(self.owner.pseudonyms.uid, old)).encode("ascii"))

    def _shifted(self, node: Node, tree: Tree) -> Node:
        if node.vr not in _SHIFTED_VRS:
            return dummy_node(node)
        values = decode_values(bytes(node.value), tree.character_sets, node.vr)
        moved = [shifted(value, node.vr, self.days) for value in values]
        if None in moved:
            return Node(node.tag, node.vr)
        return Node(node.tag, node.vr, "\\".join(value or "" for value in moved).encode("ascii"))

    def _cleaned(self, node: Node, tree: Tree, path: tuple[int, ...]) -> Node | None:
        """What is known of a text; when that is nothing, what the profile does without the option."""
        said = cleaned(node, tree)
        if said == bytes(node.value).rstrip(b" \0"):
            return node
        if said:
            return Node(node.tag, node.vr, said)
        parent = path[-1] if path else AT_THE_TOP
        basic = self.owner.rules.basic(node.tag, self.sop_class_uid, parent)
        return self._after(node, basic or if_nothing_is_left(node.tag, parent), tree, path)

    def _kept(self, node: Node, tree: Tree, path: tuple[int, ...]) -> Node | None:
        """As it is; in the place of a date, a time, an age, a number or a UID only one may stay."""
        if node.tag == PATIENT_AGE:
            return self._capped(node)
        if node.vr in _NUMBER_VRS:
            return _empty(node) if bytes(node.value).translate(None, _OF_NUMBERS) else node
        if node.vr == "UI":
            return self._uids(node, tree) if bytes(node.value).translate(None, _OF_UID_VALUES) else node
        if node.vr in _WRITTEN_VRS and not is_readable(bytes(node.value), tree.character_sets, node.vr):
            if tree.character_sets:
                raise CannotAnonymize(f"the text of {keyword_of(node.tag)} cannot be read in its character set")
            self.warnings.append(f"{keyword_of(node.tag)} has letters and no character set, and was cleaned")
            return self._cleaned(node, tree, path)
        if node.vr in _TEMPORAL_VRS or node.tag == _TIME_ZONE:
            values = decode_values(bytes(node.value), tree.character_sets, node.vr)
            if not all(is_one(value, node.vr) for value in values):
                return _empty(node)
        return node

    def _capped(self, node: Node) -> Node:
        """Ages beyond 89 years are rare enough to identify; the usual rule is to say 90."""
        text = bytes(node.value).strip(b" \0")
        if not _AGE.fullmatch(text):
            return _empty(node)
        is_old = text[3:] == b"Y" and int(text[:3]) > _OLDEST_YEARS
        return Node(node.tag, node.vr, b"090Y") if is_old else node
