"""Compare: paired differences of runs on the same items."""
