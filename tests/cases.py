"""Every record of a use of a differentiable function. The properties that each has are in test_rules.py."""

from __future__ import annotations

import cases_algebra
import cases_arrays
import cases_core
import cases_scipy

from autodiff.engine.table import of_kind

# As the package declares them, before nn or any test adds its own; the doors of vmap are in test_vmap.py.
others = ("nn.", "autodiff.transforms.")
declared = [
    f for f in of_kind("differentiable", "composed") if not getattr(f, "__module__", "numpy").startswith(others)
]
cases = [*cases_core.CASES, *cases_arrays.CASES, *cases_algebra.CASES, *cases_scipy.CASES]
