"""A small client of Azure Blob Storage that needs nothing but the standard library, for pods and launchers alike."""
