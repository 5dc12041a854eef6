"""Benchmarks against the peers that are installed (`pip install ".[bench]"`): `python -m benchmarks`."""
