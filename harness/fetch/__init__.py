"""What a suite and models need of the hub: told first, fetched where a person agrees, and pinned."""
