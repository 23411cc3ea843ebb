"""Functions of arrays, without state: what the layers have in common below their mathematics."""
