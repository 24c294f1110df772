"""Scenes: pictures drawn from parameters with all attributes known, so that perception is scored exactly."""
