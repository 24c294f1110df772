"""Routes to an answer: embedding, likelihood, generation, and prompt learning; one file each."""
