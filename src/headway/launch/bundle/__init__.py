"""What ships with a run: which of a person's files go to the pods, and the archive they go in."""
