"""`python -m mmbench`."""

from mmbench.harness.cli.app import script

if __name__ == "__main__":
    script()
