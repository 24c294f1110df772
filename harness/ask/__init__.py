"""Ask: a subject answers a task's questions by the route that its abilities allow."""
