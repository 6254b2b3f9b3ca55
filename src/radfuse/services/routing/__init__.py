"""Routing: what arrives is sent on, and forgotten, as the rules say."""

from radfuse.services.routing.planning import Plan, plan
from radfuse.services.routing.router import Router
from radfuse.services.routing.surroundings import RoutingSurroundings
from radfuse.services.routing.trial import Trial, try_rule

__all__ = ["Plan", "Router", "RoutingSurroundings", "Trial", "plan", "try_rule"]
