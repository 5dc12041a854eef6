"""Models for other programs: ONNX files, written from the recorded graph."""
