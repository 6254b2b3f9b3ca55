"""The settings of this node, as ``radfuse.toml`` has them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from radfuse.services.node_facts import SettingFacts
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals
from radfuse.web.identity import note

_Text = Annotated[str, Field(max_length=10_000)]
_Integer = Annotated[StrictInt, Field(ge=-(1 << 53), le=1 << 53)]
_Value = StrictBool | _Integer | float | _Text | list[_Text] | dict[_Text, _Text]


class Setting(BaseModel):
    """One setting: what it is, where that comes from, and what it could be."""

    key: str = Field(description="As in radfuse.toml: limits.pdu_s")
    section: str
    value: _Value = Field(description="As the next start has it; passwords in addresses are hidden.")
    default: _Value
    source: Literal["default", "file", "environment"]
    kind: Literal["text", "integer", "number", "flag", "choice", "list", "map"]
    choices: list[str]
    description: str
    needs_restart: bool = Field(description="Whether the running service still has another value.")


class SettingChanges(BaseModel):
    """New values by key; null is the default again."""

    model_config = ConfigDict(extra="forbid")

    changes: dict[_Text, _Value | None]


def router(desk: ApiDesk) -> APIRouter:
    """GET and PUT /settings."""
    routes = APIRouter(tags=["this node"])

    @routes.get("/settings", summary="All settings", responses=refusals(400))
    def list_settings() -> list[Setting]:
        """Every setting, in the order of the documentation."""
        return _settings(desk)

    @routes.put("/settings", summary="Change settings", responses=refusals(400))
    def change_settings(request: Request, changed: SettingChanges) -> list[Setting]:
        """Write them to radfuse.toml, all or none.

        The whole must be such that the service can start with it. It does not start again by itself:
        ``needs_restart`` says which settings it does not have yet.
        """
        note(request, "settings changed", subject=", ".join(sorted(changed.changes))[:200])
        desk.node.change_settings(changed.changes)
        return _settings(desk)

    return routes


def _settings(desk: ApiDesk) -> list[Setting]:
    return [_shape(facts) for facts in desk.node.settings()]


def _shape(facts: SettingFacts) -> Setting:
    return Setting(
        key=facts.key,
        section=facts.section,
        value=facts.value,
        default=facts.default,
        source=facts.source.value,
        kind=facts.kind.value,
        choices=list(facts.choices),
        description=facts.description,
        needs_restart=facts.needs_restart,
    )
