"""Which node a pod runs on, and the words when there is none."""
