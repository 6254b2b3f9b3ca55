"""Which associations and presentation contexts this node accepts (PS3.8 section 9.3, PS3.7 Annex D)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from radfuse.core.aetitle import checked_ae_title
from radfuse.core.errors import InvalidAETitle
from radfuse.core.sop_classes import (
    PATIENT_ROOT_CLASSES,
    STORAGE_CLASS_NAMES,
    STORAGE_COMMITMENT_PUSH,
    STUDY_ROOT_CLASSES,
    VERIFICATION,
)
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, IMPLICIT_LITTLE, TRANSFER_SYNTAXES
from radfuse.core.uids import is_valid_uid
from radfuse.wire import ProposedContext
from radfuse.wire.negotiation import Acceptance, AssociationRequest, Rejection

CALLING_NOT_RECOGNIZED: Final = Rejection(1, 1, 3)
CALLED_NOT_RECOGNIZED: Final = Rejection(1, 1, 7)

_ABSTRACT_SYNTAX_NOT_SUPPORTED: Final = 3
_TRANSFER_SYNTAXES_NOT_SUPPORTED: Final = 4

_QUERY_SYNTAXES: Final = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE})
_QUERY_RETRIEVE: Final = PATIENT_ROOT_CLASSES | STUDY_ROOT_CLASSES


@dataclass(frozen=True, slots=True)
class AcceptancePolicy:
    """Decides by titles and contexts; what a peer may do is asked again for every operation."""

    ae_titles: frozenset[str]
    storage_classes: frozenset[str] = frozenset(STORAGE_CLASS_NAMES)
    storage_syntaxes: frozenset[str] = frozenset(TRANSFER_SYNTAXES)
    accept_unknown_classes: bool = False
    storage_commitment: bool = False

    def answer(self, request: AssociationRequest, peer_address: tuple[str, int]) -> Acceptance | Rejection:
        """Accept with an answer for every context, or reject the association."""
        if request.called_ae_title not in self.ae_titles:
            return CALLED_NOT_RECOGNIZED
        try:
            checked_ae_title(request.calling_ae_title)
        except InvalidAETitle:
            return CALLING_NOT_RECOGNIZED
        contexts = {context.id: self._answer_context(context) for context in request.contexts}
        # A requestor takes the SCP role of storage for the objects that a C-GET brings, and of storage
        # commitment to tell what became of our request.
        roles = {uid: asked for uid, asked in request.roles.items() if self._stores(uid) or self._commits(uid)}
        return Acceptance(contexts, roles)

    def _answer_context(self, context: ProposedContext) -> str | int:
        uid = context.abstract_syntax
        if uid in _QUERY_RETRIEVE or uid == VERIFICATION or self._commits(uid):
            return _first_supported(context.transfer_syntaxes, _QUERY_SYNTAXES)
        if self._stores(uid):
            return _first_supported(context.transfer_syntaxes, self.storage_syntaxes)
        return _ABSTRACT_SYNTAX_NOT_SUPPORTED

    def _commits(self, uid: str) -> bool:
        return self.storage_commitment and uid == STORAGE_COMMITMENT_PUSH

    def _stores(self, uid: str) -> bool:
        if uid in self.storage_classes:
            return True
        return self.accept_unknown_classes and is_valid_uid(uid) and not _is_other_service(uid)


def _is_other_service(uid: str) -> bool:
    """Standard SOP classes outside the storage branch are services that we do not have."""
    return uid in _QUERY_RETRIEVE or (uid.startswith("1.2.840.10008.") and not uid.startswith("1.2.840.10008.5.1.4."))


def _first_supported(proposed: Sequence[str], supported: frozenset[str]) -> str | int:
    """The first proposed syntax that we take: the peer names first what it likes best."""
    return next((uid for uid in proposed if uid in supported), _TRANSFER_SYNTAXES_NOT_SUPPORTED)
