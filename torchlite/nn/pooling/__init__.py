"""Pooling: one number for all entries of a window."""
