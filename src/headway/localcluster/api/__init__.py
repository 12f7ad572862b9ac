"""The HTTP side: what a request means, and the answers in Kubernetes' formats."""
