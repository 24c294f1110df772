"""Models behind an OpenAI-compatible address, asked over HTTP."""
