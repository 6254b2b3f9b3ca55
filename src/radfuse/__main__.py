"""``python -m radfuse``: the same as the command ``radfuse``."""

from radfuse.cli import main

if __name__ == "__main__":
    main()
