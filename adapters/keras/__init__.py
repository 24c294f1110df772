"""Adapter of dual encoders of KerasHub, on whichever backend Keras runs."""
