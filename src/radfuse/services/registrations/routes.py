"""The best way through the links between frames of reference, and what else leads there."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from radfuse.registration.quality import Grade
from radfuse.services.registrations.model import Link, Step

_MOST_OTHERS: Final = 8
_DIGITS: Final = 14

Steps: TypeAlias = tuple[Step, ...]
_Cost: TypeAlias = tuple[int, int, int, tuple[tuple[str, int], ...]]


def best_route(links: Iterable[Link], start: str, end: str) -> Steps | None:
    """The route whose worst grade is the best; then with the fewest deformations, the fewest steps, the newest.

    What is left to choose after that is chosen by UID, so that the same links always give the same route.
    """
    known = [link for link in links if link.fixed != link.moving]
    for grade in Grade:
        route = _shortest([link for link in known if link.grade.rank <= grade.rank], start, end)
        if route is not None:
            return route
    return None


def other_routes(links: Sequence[Link], start: str, end: str, route: Steps) -> Iterator[Steps]:
    """Routes that do without one of the steps of ``route``, the best of each, no two the same; up to 8."""
    told = {route}
    waiting = [(route, frozenset[Link]())]
    while waiting and len(told) <= _MOST_OTHERS:
        base, without = waiting.pop(0)
        for step in base:
            left = without | {step.link}
            other = best_route([link for link in links if link not in left], start, end)
            if other is not None and other not in told and len(told) <= _MOST_OTHERS:
                told.add(other)
                waiting.append((other, left))
                yield other


def worst_grade(route: Iterable[Step]) -> Grade:
    """The worst grade on the way; pass where there is no step."""
    return max((step.link.grade for step in route), key=lambda grade: grade.rank, default=Grade.PASS)


def _shortest(links: Iterable[Link], start: str, end: str) -> Steps | None:
    """Dijkstra over (deformations, steps, age, UIDs): each step makes the cost greater."""
    leaving: dict[str, list[Step]] = {}
    for link in links:
        for step in (Step(link), Step(link, is_forward=False)):
            leaving.setdefault(step.start, []).append(step)
    heap: list[tuple[_Cost, int, str, Steps]] = [((0, 0, 0, ()), 0, start, ())]
    reached: set[str] = set()
    counter = 0
    while heap:
        cost, _, frame, route = heapq.heappop(heap)
        if frame == end:
            return route
        if frame in reached:
            continue
        reached.add(frame)
        for step in leaving.get(frame, ()):
            if step.end not in reached:
                counter += 1
                heapq.heappush(heap, (_further(cost, step.link), counter, step.end, (*route, step)))
    return None


def _further(cost: _Cost, link: Link) -> _Cost:
    deformations, steps, age, names = cost
    digits = "".join(filter(str.isdigit, link.date))[:_DIGITS].ljust(_DIGITS, "0")
    key = (link.registration, link.number)
    return deformations + link.is_deformable, steps + 1, age - int(digits), (*names, key)
