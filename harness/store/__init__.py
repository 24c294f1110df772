"""Store: answers remembered under what was asked of which weights."""
