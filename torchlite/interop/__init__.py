"""The way out and in: what becomes of a network elsewhere, and of networks from there.

A file, or a folder, for each neighbour. Nothing of it is loaded, and no other package, before it is
named: `from torchlite.interop import onnx`.
"""
