"""Convolution: every window of an image by the same weights."""
