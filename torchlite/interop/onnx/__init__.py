"""Networks as ONNX files, which other programs and languages run.

`export` writes one; docs/onnx.md tells how, and docs/interop.md which classes ONNX can say. Needs
the package onnx; onnxruntime, or another, runs the file.
"""

from torchlite.interop.onnx.exporting import export

__all__ = ["export"]
