"""`python -m mmbench`."""

from mmbench.harness.cli import main

if __name__ == "__main__":
    main()
