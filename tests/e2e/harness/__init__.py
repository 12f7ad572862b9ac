"""What the end-to-end tests drive flows with: the command line, kubectl and the public client, no product code."""
