"""Routes through links: the best one, and the others."""

from __future__ import annotations

import random

from radfuse.registration.quality import Grade
from radfuse.services.registrations.model import Link
from radfuse.services.registrations.routes import best_route, other_routes, worst_grade


def link(
    fixed: str, moving: str, name: str = "", grade: Grade = Grade.PASS, bent: bool = False, date: str = ""
) -> Link:
    return Link(name or f"{fixed}{moving}", 0, fixed, moving, bent, grade=grade, date=date)


def names(route: object) -> list[str]:
    assert isinstance(route, tuple)
    return [step.link.registration for step in route]


def test_no_links_no_route_and_loops_lead_nowhere() -> None:
    assert best_route([], "a", "b") is None
    assert best_route([link("a", "a")], "a", "b") is None
    assert best_route([link("c", "d")], "a", "b") is None


def test_a_worse_grade_anywhere_is_worse_than_any_detour() -> None:
    detour = [link("a", "c"), link("c", "d"), link("d", "b")]
    direct = link("a", "b", grade=Grade.CAUTION)
    assert names(best_route([direct, *detour], "a", "b")) == ["ac", "cd", "db"]
    doubtful = [*detour[:2], link("d", "b", grade=Grade.CAUTION)]
    assert names(best_route([direct, *doubtful], "a", "b")) == ["ab"]


def test_deformations_count_before_steps_and_steps_before_age() -> None:
    bent, straight = link("a", "b", bent=True), [link("a", "c"), link("c", "b")]
    assert names(best_route([bent, *straight], "a", "b")) == ["ac", "cb"]
    old, new = link("a", "b", "old", date="20200101"), link("a", "b", "new", date="20260101101500")
    assert names(best_route([old, new, *straight], "a", "b")) == ["new"]
    assert names(best_route([link("a", "b", "nobody knows when"), old], "a", "b")) == ["old"]


def test_the_order_of_the_links_changes_nothing() -> None:
    dice = random.Random(5)
    frames = "abcdefgh"
    links = [
        link(fixed, moving, f"{number:03}", dice.choice(list(Grade)), dice.random() < 0.3)
        for number, (fixed, moving) in enumerate(dice.sample(frames, 2) for _ in range(40))
    ]
    first = best_route(links, "a", "h")
    others = list(other_routes(links, "a", "h", first or ()))
    for _ in range(5):
        dice.shuffle(links)
        assert best_route(links, "a", "h") == first
        assert list(other_routes(links, "a", "h", first or ())) == others


def test_other_routes_do_without_a_step_are_all_different_and_few() -> None:
    links = [link("a", "b", f"{number:02}") for number in range(20)]
    route = best_route(links, "a", "b") or ()
    others = list(other_routes(links, "a", "b", route))
    assert len({route, *others}) == len(others) + 1 == 9
    two_ways = [link("a", "c"), link("c", "b"), link("a", "d"), link("d", "b")]
    best = best_route(two_ways, "a", "b") or ()
    assert [names(other) for other in other_routes(two_ways, "a", "b", best)] == [["ad", "db"]]


def test_a_hundred_frames_all_joined_with_each_other_are_no_trouble() -> None:
    links = [link(f"{one}", f"{other}") for one in range(60) for other in range(one)]
    assert names(best_route(links, "0", "59")) == ["590"]
    chain = [link(f"{one}", f"{one + 1}") for one in range(300)]
    assert len(best_route(chain, "0", "300") or ()) == 300


def test_the_worst_grade_counts() -> None:
    route = best_route([link("a", "b"), link("b", "c", grade=Grade.CAUTION)], "a", "c") or ()
    assert worst_grade(route) is Grade.CAUTION
    assert worst_grade(()) is Grade.PASS
