"""The modules of Metaflow's plugins whose exceptions people catch."""
