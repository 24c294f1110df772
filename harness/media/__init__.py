"""Media: a sample's pictures as a digest and lazy pixels."""
