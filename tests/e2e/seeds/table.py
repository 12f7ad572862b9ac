"""Everything that is known about the snippets of the seeds."""

from seeds.case import Case
from seeds.configuration import CONFIGURATION
from seeds.operator import OPERATOR
from seeds.overview import OVERVIEW

CASES: tuple[Case, ...] = (*OVERVIEW, *CONFIGURATION, *OPERATOR)

#: The snippet that reads runs back, and is no flow.
READS_RUNS = "000: Access Metadata"
