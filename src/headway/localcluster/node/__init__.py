"""The node: what a kubelet does, with processes of this machine as containers."""
