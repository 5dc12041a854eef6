"""Reports of a training: history, progress, curves, and the activity of layers."""
