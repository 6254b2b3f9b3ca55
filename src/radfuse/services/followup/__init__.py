"""Two time points of one patient: the prior found, registered, its lesions carried over, the change tabulated."""

from radfuse.services.followup import kept
from radfuse.services.followup.asking import FollowupAsk, Linking, PairByHand, pair_of, rule_of
from radfuse.services.followup.following import follow_up
from radfuse.services.followup.model import Followup
from radfuse.services.followup.paper import rows_of
from radfuse.services.followup.priors import Priors, priors_of_series, priors_of_study
from radfuse.services.followup.results import as_json, save, write_report

__all__ = [
    "Followup",
    "FollowupAsk",
    "Linking",
    "PairByHand",
    "Priors",
    "as_json",
    "follow_up",
    "kept",
    "pair_of",
    "priors_of_series",
    "priors_of_study",
    "rows_of",
    "rule_of",
    "save",
    "write_report",
]
