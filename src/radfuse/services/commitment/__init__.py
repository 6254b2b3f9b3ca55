"""Storage commitment, push model (PS3.4 Annex J): asking a peer to keep objects safely, and promising it."""

from radfuse.services.commitment.asking import references_of_send, references_to, submit_commit
from radfuse.services.commitment.coding import Report, Request
from radfuse.services.commitment.kinds import commitment_kinds
from radfuse.services.commitment.ledger import Commitments
from radfuse.services.commitment.model import Outcome, Reference, Transaction
from radfuse.services.commitment.reporting import CommitmentDesk, CommitmentSurroundings, report_command
from radfuse.services.commitment.talking import answer_report, answer_request

__all__ = [
    "CommitmentDesk",
    "CommitmentSurroundings",
    "Commitments",
    "Outcome",
    "Reference",
    "Report",
    "Request",
    "Transaction",
    "answer_report",
    "answer_request",
    "commitment_kinds",
    "references_of_send",
    "references_to",
    "report_command",
    "submit_commit",
]
