"""The embedded models: a CoCa small enough to ship, and what trains it on the embedded scenes."""
