"""Who needs a peer as it is: rules that send to it, jobs that have not ended. None of them loses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from radfuse.core.errors import AlreadyThere, ConfigurationError, InUse, UnknownPeer
from radfuse.jobs import Jobs, JobState
from radfuse.services.peers import Peer, Peers
from radfuse.services.rules import Rules

_UNFINISHED = (JobState.QUEUED, JobState.RUNNING, JobState.WAITING, JobState.PAUSED)


@dataclass(frozen=True, slots=True)
class PeerUse:
    """What needs a peer, or needed it."""

    rules: tuple[str, ...] = ()
    """Those that send to it, enabled or not."""
    rules_enabled: tuple[str, ...] = ()
    jobs_unfinished: int = 0
    jobs_failed: int = 0

    @property
    def reason(self) -> str:
        """Why it must stay as it is, and what to do; empty when it need not."""
        if self.rules_enabled:
            names = ", ".join(self.rules_enabled)
            one = len(self.rules_enabled) == 1
            return f"the {'rule' if one else 'rules'} {names} {'sends' if one else 'send'} to it; turn that off first"
        if self.jobs_unfinished:
            what = "a job is" if self.jobs_unfinished == 1 else f"{self.jobs_unfinished} jobs are"
            return f"{what} not finished with it; wait for that, or cancel"
        return ""


def uses_of_peers(rules: Rules, jobs: Jobs) -> Mapping[str, PeerUse]:
    """By the peers' names; those that nothing needs are not there."""
    sending: dict[str, list[str]] = {}
    enabled: dict[str, list[str]] = {}
    for rule in rules.all():
        for name in rule.destinations:
            sending.setdefault(name, []).append(rule.name)
            if rule.enabled:
                enabled.setdefault(name, []).append(rule.name)
    unfinished, failed = jobs.totals_by_peer(_UNFINISHED), jobs.totals_by_peer((JobState.FAILED,))
    return {
        name: PeerUse(
            tuple(sending.get(name, ())), tuple(enabled.get(name, ())), unfinished.get(name, 0), failed.get(name, 0)
        )
        for name in {*sending, *unfinished, *failed}
    }


def require_unused(rules: Rules, jobs: Jobs, name: str) -> None:
    """Raise InUse when a rule or a job needs the peer of this name."""
    reason = uses_of_peers(rules, jobs).get(name, PeerUse()).reason
    if reason:
        raise InUse(f"peer {name!r}", reason)


def change_peer(peers: Peers, rules: Rules, jobs: Jobs, name: str, wanted: Peer) -> None:
    """Make the peer of ``name`` what is wanted, or a new one; another name in ``wanted`` is its new name.

    Raises ConfigurationError; InUse and AlreadyThere when it cannot have the new name.
    """
    if wanted.name == name:
        peers.add(wanted)
        return
    known = {peer.name for peer in peers.all()}
    if name not in known:
        raise ConfigurationError("name", f"{wanted.name!r} is not the name in the address, {name!r}")
    if wanted.name in known:
        raise AlreadyThere(f"a peer {wanted.name!r}")
    require_unused(rules, jobs, name)
    peers.add(wanted, instead_of=name)


def remove_peer(peers: Peers, rules: Rules, jobs: Jobs, name: str) -> None:
    """Remove a peer that nothing needs. Raises UnknownPeer, InUse."""
    if name not in {peer.name for peer in peers.all()}:
        raise UnknownPeer(name)
    require_unused(rules, jobs, name)
    peers.remove(name)
