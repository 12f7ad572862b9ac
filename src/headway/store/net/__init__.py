"""What all stores that are reached over HTTP have in common; it knows none of them, and they do not know each other."""
