"""Models: abilities of adapters, the adapters behind specs, and their labels."""
