"""Where rows come from: folders, files, data that ships with a library."""
