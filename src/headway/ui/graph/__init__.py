"""A flow's graph as people and programs look at it: as text, as a picture (SVG), for graphviz (DOT)."""
