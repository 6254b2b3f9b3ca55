"""Registrations that a job proposes: looked at and judged by a person before they are kept, or not."""

from radfuse.services.proposals.accepting import accept
from radfuse.services.proposals.keeping import LASTS_DAYS, Proposal, discard, picture_of, proposal_of, propose
from radfuse.services.proposals.laying import proposed_path

__all__ = ["LASTS_DAYS", "Proposal", "accept", "discard", "picture_of", "proposal_of", "propose", "proposed_path"]
