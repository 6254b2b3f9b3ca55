"""The kinds of job of storage commitment."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from radfuse.jobs import Kind
from radfuse.services.commitment.asking import COMMIT_KIND, run_commit
from radfuse.services.commitment.reporting import REPORT_KIND, CommitmentSurroundings, run_commit_report


def commitment_kinds(surroundings: CommitmentSurroundings) -> Mapping[str, Kind]:
    """What a worker does about storage commitment, by the name that jobs call it."""
    return {
        COMMIT_KIND: partial(run_commit, surroundings=surroundings),
        REPORT_KIND: partial(run_commit_report, surroundings=surroundings),
    }
