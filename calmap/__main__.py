"""``python -m calmap``, and where the command ``calmap`` starts."""

import sys

_INTERRUPTED = 130


def main() -> None:
    """Run the program; an interrupt while it is still being imported ends it quietly too."""
    try:
        from calmap.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
