"""Every benchmark in one go, every work once before any of them again.

python3 dev.py bench all [--runs N] [--quick] [--only WORK …] [--budget MINUTES]
"""

import sys

import client
import data
import local
import pods
import scale
import timeline
from command import main

if __name__ == "__main__":
    makers = [local.works, pods.works, timeline.works, data.works, client.works, scale.works]
    sys.exit(main("all", __doc__.splitlines()[0], makers))
