"""Export of dual encoders to ONNX, with all that the adapter needs to run them alike."""
