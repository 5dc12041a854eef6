"""Hints: names that users of other libraries type, and the line of Python to write here instead; t is a Tensor.

A line may be followed by the reason. `tests/test_hints.py` runs every line.
"""

from __future__ import annotations

from collections.abc import Iterable

Hint = tuple[str, ...]  # a line, and optionally the reason

VALUE: Hint = ("t.value", "the plain array, which cannot be written into")
CONSTANT: Hint = ("ad.stop_gradient(t)", "the value as a constant")
HERE: Hint = ('ad.to(t, "cpu")', 'or "cuda", a GPU')
DIFFERENTIABLE: Hint = ("ad.Tensor(array)", "a Tensor is differentiated by, a plain array is a constant")
INTEGERS: Hint = ("t.value.astype(int)", "plain integers, constants")
CHANGED: Hint = ("t.at[0].set(5.0)", "a new Tensor: results are never written into; a leaf has t.value = ...")
ASSIGNED: Hint = ("t.value = t.value - 0.1 * t.grad", "a leaf is given a new value")

TENSOR: dict[str, Hint] = {
    "numpy": VALUE,
    "data": VALUE,
    "detach": CONSTANT,
    "requires_grad": DIFFERENTIABLE,
    "requires_grad_": DIFFERENTIABLE,
    "grad_fn": ("t.operation", "the function it came from, and t.operands; ad.draw(t) shows them all"),
    "numel": ("t.size",),
    "nelement": ("t.size",),
    "dim": ("t.ndim",),
    "zero_grad": ("t.grad = None",),
    "view": ("t.reshape(3, 2)",),
    "view_as": ("t.reshape(t.shape)",),
    "permute": ("t.transpose(1, 0)",),
    "t": ("t.T",),
    "unsqueeze": ("np.expand_dims(t, 0)",),
    "expand": ("np.broadcast_to(t, (4, 2, 3))",),
    "contiguous": HERE,
    "clone": ("t.copy()",),
    "to": ('ad.to(t, "cpu")', 'or "cuda", a GPU; the dtype: t.astype(np.float32)'),
    "cpu": HERE,
    "cuda": HERE,
    "float": ("t.astype(np.float32)",),
    "double": ("t.astype(np.float64)",),
    "half": ("t.astype(np.float16)",),
    "long": INTEGERS,
    "int": INTEGERS,
    "bool": ("t.value.astype(bool)", "plain booleans, constants"),
    "type": ("t.astype(np.float32)",),
    "new_zeros": ("np.zeros(t.shape, t.dtype)",),
    "new_ones": ("np.ones(t.shape, t.dtype)",),
    "norm": ("np.linalg.norm(t)",),
    "mm": ("t @ t.T",),
    "mul": ("t * t",),
    "sub": ("t - t",),
    "div": ("t / t",),
    "neg": ("-t",),
    "rsqrt": ("1 / np.sqrt(t)",),
    "clamp": ("np.clip(t, 0, 1)",),
    "chunk": ("np.array_split(t, 2)",),
    "index_select": ("np.take(t, [0, 1], axis=0)",),
    "gather": ("np.take_along_axis(t, np.argsort(t, axis=0), axis=0)",),
    "masked_fill": ("np.where(t > 0, 0.0, t)",),
    "scatter": ("t.at[0].set(5.0)",),
    "scatter_add": ("t.at[0].add(5.0)",),
    "topk": ("np.sort(t)[..., -2:]",),
    "register_hook": ("t.retain_grad()", "and read t.grad after .backward(), or t.adjoints()"),
    "assign": ASSIGNED,
    "assign_sub": ASSIGNED,
    "assign_add": ASSIGNED,
    **dict.fromkeys(("add_", "sub_", "mul_", "div_", "zero_", "fill_", "copy_", "clamp_"), CHANGED),
    **{name: (f"ad.{name}(t)",) for name in ("relu", "sigmoid", "softplus", "erf", "logsumexp")},
    **{name: (f"ad.{name}(t, axis=-1)",) for name in ("softmax", "log_softmax")},
    **{name: (f"t.value.{name}()", "the plain array has it") for name in ("tolist", "tobytes", "dumps")},
    **{name: (f"t.value.{name}", "the plain array has it") for name in ("tofile", "dump", "ctypes", "base", "flags")},
    "strides": ("t.value.strides", "the plain array has it"),
    "stride": ("t.value.strides", "the plain array has it"),
    "sort": ("np.sort(t)", "a new Tensor: Tensors are never written into"),
    "partition": ("np.partition(t, 1)", "a new Tensor: Tensors are never written into"),
    "resize": ("np.resize(t, (4, 4))", "a new Tensor: Tensors are never written into"),
    **dict.fromkeys(("fill", "itemset", "put", "byteswap", "setfield", "setflags"), CHANGED),
}

MODULE: dict[str, Hint] = {
    "tensor": ("ad.Tensor([1.0, 2.0])",),
    "from_numpy": ("ad.Tensor(np.ones(3))",),
    "as_tensor": ("ad.Tensor(np.ones(3))",),
    "Variable": ("ad.Tensor(np.ones(3))",),
    "Parameter": ("ad.Tensor(np.ones(3))",),
    "randn": ("ad.Tensor(np.random.default_rng(0).normal(size=(2, 3)))",),
    "rand": ("ad.Tensor(np.random.default_rng(0).uniform(size=(2, 3)))",),
    "manual_seed": ("rng = np.random.default_rng(0)", "pass it where numbers are drawn; nothing here is global"),
    "cat": ("np.concatenate([t, t])",),
    "clamp": ("np.clip(t, 0, 1)",),
    "mm": ("t @ t.T",),
    "norm": ("np.linalg.norm(t)",),
    "numpy": ("np.sin(t)", "NumPy's own functions work on Tensors"),
    "detach": CONSTANT,
    "enable_grad": ("t * t", "operations are recorded outside of ad.no_grad()"),
    "inference_mode": ("ad.no_grad()",),
    "elementwise_grad": ("ad.grad(lambda x: np.sum(np.sin(x)))",),
    "make_vjp": ("ad.vjp(np.sin, np.ones(3))",),
    "make_jvp": ("ad.jvp(np.sin, (np.ones(3),), (np.ones(3),))",),
    "jacfwd": ("ad.jacobian(np.sin)",),
    "jacrev": ("ad.jacobian(np.sin)",),
    "custom_vjp": ("ad.primitive(np.sin)", "and its rules with ad.adjoint"),
    "Function": ("ad.primitive(np.sin)", "and its rules with ad.adjoint"),
    "save": ("np.save(path, t.value)", "a model: nn.save(model, path)"),
    "load": ("ad.Tensor(np.load(path))", "a model: nn.load(path)"),
    "nn": ("import nn",),
    "optim": ("import nn.optim",),
    "functional": ("import nn.functional",),
    "device": HERE,
    "cuda": HERE,
    "visualize": ("ad.draw(t)",),
    "make_dot": ("ad.draw(t)",),
    "draw_dot": ("ad.draw(t)",),
}

KEYWORDS = {"dim": "axis", "dims": "axis", "keepdim": "keepdims"}


def written(hint: Hint) -> str:
    """The text of a hint in a message."""
    line, *why = hint
    return f"write {line}" + "".join(f" ({reason})" for reason in why)


def renamed(given: Iterable[str]) -> str:
    """The names here of keywords that other libraries name differently; empty if there are none."""
    return ", ".join(f"{KEYWORDS[name]}= instead of {name}=" for name in given if name in KEYWORDS)
