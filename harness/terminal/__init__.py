"""Terminal: tables and progress bars; rich is used here and in the commands only."""
