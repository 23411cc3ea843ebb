"""Normalisation: over a batch, over a sample, over planes and neighbourhoods."""
