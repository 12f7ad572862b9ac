"""The snippets of the seed documents, the table that says how each runs here, and what they become."""
