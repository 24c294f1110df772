"""Engine: the one place that calls an adapter, in batches that fit the device."""
