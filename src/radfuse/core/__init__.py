"""Words that every room shares, imported by module: UIDs, levels, AE titles, one error tree; imports nothing else."""

__all__: list[str] = []
