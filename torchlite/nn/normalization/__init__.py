"""Normalisation of images: over a batch, over planes, over neighbourhoods."""
