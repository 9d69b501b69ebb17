"""``python -m calmap``."""

from calmap.cli.main import main

if __name__ == "__main__":
    main()
