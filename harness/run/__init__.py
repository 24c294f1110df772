"""Run: models × tasks asked, scored and recorded."""
