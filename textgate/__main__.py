"""`python -m textgate` is the `textgate` command."""

from textgate.cli import main

if __name__ == "__main__":
    main()
