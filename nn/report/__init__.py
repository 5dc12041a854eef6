"""What is shown of a training: its history, progress, curves and activity."""
