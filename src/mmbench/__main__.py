"""`python -m mmbench`."""

from mmbench.harness.cli.app import main

if __name__ == "__main__":
    main()
