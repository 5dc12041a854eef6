"""Tensors on a device: every record on an array type as strict as CuPy's, and what moves between devices and when."""

from __future__ import annotations

import collections
import functools
import warnings
from typing import Any

import numpy as np
from cases import cases
from foreign import Foreign
from record import Case

import autodiff as ad
from autodiff.engine.reverse import adjoints


def there(x: Any) -> ad.Tensor:
    return ad.Tensor(Foreign.of(x))


def seed_of(y: Any) -> np.ndarray:
    return np.random.default_rng(7).standard_normal(y.shape).astype(y.dtype)


def computed(case: Case, inputs: list[ad.Tensor], recorded: bool) -> list[Any]:
    """The value and the adjoints, as they are."""
    y = (
        case._replace(parameters=dict(case.parameters, device=inputs[0].device))(*inputs)
        if (case.name == "on_device")
        else case(*inputs)
    )
    seed = ad.to(seed_of(y), y.device)
    found = adjoints(y, ad.Tensor(seed) if recorded else seed, wrt=inputs, recorded=recorded)
    results = [y, *(found[x] for x in inputs)]
    return [r.value if isinstance(r, ad.Tensor) else r for r in results]


def judged(case: Case) -> tuple[str, str]:
    """ "right", "refused" or "wrong", and why, on the device."""
    expected = computed(case, [ad.Tensor(x) for x in case.arrays], False)
    try:
        found = [computed(case, [there(x) for x in case.arrays], recorded) for recorded in (False, True)]
    except Exception as error:
        named = isinstance(error, TypeError) and "cannot be computed on 'foreign'" in str(error)
        return ("refused" if named else "wrong"), f"{type(error).__name__}: {error}"
    for results in found:
        for name, result, host in zip(("value", *"xyzuvw"), results, expected, strict=False):
            if type(result) is not Foreign:
                return "wrong", f"{name} left the device: {type(result).__name__}"
            if (result.shape, result.dtype) != (host.shape, host.dtype):
                return "wrong", f"{name} has shape {result.shape} and dtype {result.dtype}"
            if not np.allclose(result.get(), host, rtol=1e-9, atol=1e-11, equal_nan=True):
                return "wrong", f"{name} is {result.get()}, not {host}"
    return "right", ""


@functools.cache
def verdicts() -> dict[Case, tuple[str, str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {case.name: judged(case) for case in cases}


if __name__ == "__main__":
    found = verdicts()
    of_function = collections.defaultdict(set)
    for case in cases:
        of_function[case.function.__module__, case.function.__name__].add(found[case.name][0])
    print(collections.Counter(v for v, _ in found.values()))
    print(len(of_function), "functions;", sum(v == {"right"} for v in of_function.values()), "right")
    reasons = collections.Counter(why[:150] for v, why in found.values() if v != "right")
    for why, n in reasons.most_common(70):
        print(n, why, [k for k, v in found.items() if v[1][:150] == why][:2])
