"""The Hugging Face hub: whether it may and can be asked, and repositories of data that are fetched from it."""
