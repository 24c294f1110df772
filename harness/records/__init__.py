"""Records: what a run left on disk, written, read and selected."""
