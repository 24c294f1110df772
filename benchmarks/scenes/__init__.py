"""Scenes drawn from parameters, all of whose attributes are known, so that perception can be scored exactly."""
