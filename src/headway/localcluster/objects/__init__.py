"""Objects as the API server keeps them: kinds, storage, selectors, patches, quantities, failures."""
