"""Adapter of two-tower models in ONNX, run by onnxruntime without torch."""
