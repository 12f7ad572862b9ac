"""ZenML's client: Headway has its own."""

raise ImportError("Headway does not have ZenML's client. Read runs with headway.Flow and headway.Run.")
