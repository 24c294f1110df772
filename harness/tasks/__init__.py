"""Tasks: data plus a protocol, read from YAML and sources."""
