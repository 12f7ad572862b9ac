"""Settings: where values come from, what they may be, and how they join."""
