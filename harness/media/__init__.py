"""Media: what a sample shows, as a digest and lazy pixels."""
