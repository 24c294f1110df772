"""Ray engine: one model on several workers, which are processes on this machine or on those of a Ray cluster."""
