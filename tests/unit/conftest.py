"""What the end-to-end suite has tables of is held to be complete here, where it costs nothing."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "e2e"))
