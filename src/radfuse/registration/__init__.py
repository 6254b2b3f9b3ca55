"""Registrations: rigid, deformable, by landmarks; judged."""

__all__: list[str] = []
