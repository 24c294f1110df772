"""Terminal: the tables and bars that a person sees; rich is used here and in the commands only."""
