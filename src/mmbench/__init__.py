"""mmbench: what a multimodal model perceives, how it ranks, and whether yesterday's change broke it."""
