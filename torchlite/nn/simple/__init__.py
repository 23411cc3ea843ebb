"""Layers of one input array."""
