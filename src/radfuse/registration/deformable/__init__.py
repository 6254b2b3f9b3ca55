"""The deformable engine."""
