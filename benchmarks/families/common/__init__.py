"""What families share: rows to samples, wording, and the chance of guessing."""
