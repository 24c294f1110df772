"""Ask: the model sitting the exam, by the route that its abilities allow."""
