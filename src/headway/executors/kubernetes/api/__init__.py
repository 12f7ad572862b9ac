"""The Kubernetes API as the launcher needs it: access, a small client, and a watch that does not end."""
