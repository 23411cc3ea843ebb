"""Layers of tables: lists of arrays."""
