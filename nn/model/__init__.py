"""The Module: parameters, buffers and modes; state, summaries and files."""
