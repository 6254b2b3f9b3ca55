"""The rules for what arrives."""

from __future__ import annotations

from typing import Annotated, Self

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from radfuse.services import rehearsal, rules
from radfuse.services.project_keys import Keys
from radfuse.services.rule_texts import check_rule, rule_of_text, sentence_of_rule, text_of_rule
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals
from radfuse.web.identity import note

_Name = Annotated[str, Path(max_length=64, description="The rule's name.")]
_Definition = Annotated[str, Field(max_length=200_000, description="As TOML: see docs/rules.md.")]


class Rule(BaseModel):
    """A rule: what it looks at, where it sends, what it forgets."""

    name: str
    is_enabled: bool
    active_since_s: float = Field(description="What arrived before is none of its business.")
    definition: str = Field(description="As TOML, as 'radfuse rules add' takes it.")
    summary: str
    destinations: list[str]
    forgets: bool

    @classmethod
    def of(cls, rule: rules.Rule) -> Self:
        """The rule for the API."""
        return cls(
            name=rule.name,
            is_enabled=rule.enabled,
            active_since_s=rule.active_since_s,
            definition=text_of_rule(rule),
            summary=sentence_of_rule(rule),
            destinations=list(rule.destinations),
            forgets=rule.forget is not None,
        )


class NewRule(BaseModel):
    """A rule as it is to be."""

    model_config = ConfigDict(extra="forbid")

    definition: _Definition


class RuleSwitch(BaseModel):
    """Whether a rule is to be on."""

    model_config = ConfigDict(extra="forbid")

    is_enabled: bool


class RehearsalExample(BaseModel):
    """One study, and what would become of it."""

    study: str
    text: str


class Rehearsal(BaseModel):
    """What a rule would do to what is kept."""

    matched_objects: int
    examined_objects: int
    examples: list[RehearsalExample]
    notes: list[str]


def router(desk: ApiDesk) -> APIRouter:
    """Everything under /rules."""
    routes = APIRouter(tags=["rules"])

    @routes.get("/rules", summary="All rules")
    def list_rules() -> list[Rule]:
        """By name."""
        return [Rule.of(rule) for rule in desk.rules.all()]

    @routes.put("/rules/{name}", summary="Make or change a rule", responses=refusals(400))
    def put_rule(request: Request, name: _Name, wanted: NewRule) -> Rule:
        """Make it what is given. It is for what arrives from now on; an enabled one goes on where it is."""
        note(request, "rule changed", subject=name)
        rule = rule_of_text(wanted.definition, name)
        check_rule(rule, desk.peers.by_name, desk.databases, Keys(desk.data))
        desk.rules.add(rule)
        return Rule.of(desk.rules.get(name))

    @routes.patch("/rules/{name}", summary="Turn a rule on or off", responses=refusals(400, 404))
    def switch_rule(request: Request, name: _Name, switch: RuleSwitch) -> Rule:
        """On, for what arrives from now on; or off."""
        note(request, "rule turned on" if switch.is_enabled else "rule turned off", subject=name)
        if switch.is_enabled:
            check_rule(desk.rules.get(name), desk.peers.by_name, desk.databases, Keys(desk.data))
        desk.rules.enable(name, switch.is_enabled)
        return Rule.of(desk.rules.get(name))

    @routes.delete("/rules/{name}", status_code=204, summary="Remove a rule", responses=refusals(404))
    def delete_rule(request: Request, name: _Name) -> None:
        """Remove it. What it has queued is still sent; nothing more is forgotten for it."""
        note(request, "rule removed", subject=name)
        desk.rules.remove(name)

    @routes.post("/rules/rehearse", summary="Try a rule", responses=refusals(400))
    def rehearse(wanted: NewRule) -> Rehearsal:
        """What it would do with the newest studies that are kept. Nothing is done. Takes at most some seconds."""
        rule = rule_of_text(wanted.definition, "")
        peers = check_rule(rule, desk.peers.by_name, desk.databases, Keys(desk.data))
        found = rehearsal.rehearse(desk.archive(rule.database), rule, peers)
        examples = [RehearsalExample(study=each.study, text=each.text) for each in found.examples]
        return Rehearsal(
            matched_objects=found.matched_objects,
            examined_objects=found.examined_objects,
            examples=examples,
            notes=list(found.notes),
        )

    return routes
