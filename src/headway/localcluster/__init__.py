"""The embedded cluster: the Kubernetes API on loopback, pods as processes of this machine.

It talks and is talked to over the Kubernetes HTTP API alone; nothing of Headway imports it but the command
line, and it imports nothing of Headway but `headway.errors`. See `docs/localcluster.md`.
"""

from headway.localcluster.lifecycle import Handle, running, start, stop
from headway.localcluster.options import Options, parse_labels, parse_taints

__all__ = ["Handle", "Options", "parse_labels", "parse_taints", "running", "start", "stop"]
