"""Every feature of the matrix. The order is that of their code within a step."""

from matrix.feature import Feature
from matrix.features import client, commands, data, decorators, failing, merging, parameters, positions, runs

FEATURES: tuple[Feature, ...] = (
    *positions.FEATURES,
    *data.FEATURES,
    *parameters.FEATURES,
    *decorators.FEATURES,
    *failing.FEATURES,
    *merging.FEATURES,
    *client.FEATURES,
    *commands.FEATURES,
    *runs.FEATURES,
)
