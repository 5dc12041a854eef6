"""Names of PyTorch and Keras that do not exist here, each with the text of what to write instead.

There is a table for each place where a name may be typed, and a few functions that look names up in them.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

NAMES = {
    "Tensor": "write ad.Tensor(array)",
    "manual_seed": "pass rng=0 to what is random: layers, fit, DataLoader",
    "Parameter": "a leaf Tensor among a Module's attributes is a parameter: self.w = ad.Tensor(array)",
    "Buffer": "an ndarray among a Module's attributes is a buffer: self.mean = np.zeros(3)",
    "LazyLinear": "write nn.Dense(units), which finds its number of inputs",
    "DataLoader": "write nn.data.DataLoader",
    "TensorDataset": "write nn.data.TensorDataset(X, y)",
    "random_split": "write nn.data.random_split((X, y), [0.8, 0.2])",
    "Model": "write class Net(nn.Module), or nn.Sequential",
    "BatchNormalization": "write nn.BatchNorm1d(features), or nn.BatchNorm2d(channels)",
    "LayerNormalization": "write nn.LayerNorm(features)",
    "MaxPooling2D": "write nn.MaxPool2d(2), of images X.transpose(0, 3, 1, 2), (batch, channels, height, width)",
    "AveragePooling2D": "write nn.AvgPool2d(2), of images X.transpose(0, 3, 1, 2), (batch, channels, height, width)",
    "Conv2D": "write nn.Conv2d(in_channels, filters, 3), of images X.transpose(0, 3, 1, 2), "
    "(batch, channels, height, width)",
    "to_categorical": "write np.eye(classes)[labels]",
    "InputLayer": "write nn.Input((n,))",
    "ModelCheckpoint": "write fit(..., checkpoint='run.safetensors')",
    "ReduceLROnPlateau": "write fit(..., schedule=lambda optimizer: nn.optim.ReduceLROnPlateau(optimizer))",
    "CSVLogger": "write history.to_csv(path)",
    "utils": "write nn.optim.clip_grad_norm(model.parameters(), 1.0), nn.weight_norm or nn.spectral_norm of a layer, "
    "or nn.flat(model) for a vector of the parameters; for packed sequences, the recurrent layers take lengths=",
    "datasets": "write nn.data.digits(); nn.data.mnist reads the files of a folder",
    "models": "write nn.Sequential(layer, layer)",
    "callbacks": "write nn.EarlyStopping(), or class Net(nn.Callback)",
    **dict.fromkeys(
        ("SparseCategoricalCrossentropy", "CategoricalCrossentropy"),
        "write loss='sparse_categorical_crossentropy', which sees by itself whether the model ends with logits; or "
        "nn.CrossEntropyLoss() of logits",
    ),
    "BinaryCrossentropy": "write loss='binary_crossentropy', which sees by itself whether the model ends with a logit; "
    "or nn.BCEWithLogitsLoss() of logits, nn.BCELoss() of probabilities",
    "MeanSquaredError": "write nn.MSELoss()",
    "MeanAbsoluteError": "write nn.L1Loss()",
    "Huber": "write nn.HuberLoss()",
    "relu": "write nn.functional.relu, or nn.ReLU() for a layer",
    **dict.fromkeys(
        ("pack_padded_sequence", "pad_packed_sequence", "pack_sequence", "PackedSequence", "pad_sequence"),
        "write nn.GRU(features, units, batch_first=True)(sequences, lengths=lengths), of sequences that are filled up "
        "with zeros to one length",
    ),
    "MultiHeadAttention": "write nn.MultiheadAttention(64, 4)",
    "SimpleRNN": "write nn.RNN(features, units)",
    "Bidirectional": "write nn.LSTM(features, units, bidirectional=True)",
    "TimeDistributed": "nn.Linear works on the last axis, whatever is before it",
    "no_grad": "write ad.no_grad()",
    "parallel": "everything runs on one processor",
    "quantization": "parameters are float32 or float64",
    "GlobalAveragePooling2D": "write nn.AdaptiveAvgPool2d(1), and nn.Flatten() after it",
    "GlobalMaxPooling2D": "write nn.AdaptiveMaxPool2d(1), and nn.Flatten() after it",
    "UpSampling2D": "write nn.Upsample(scale_factor=2)",
    "Conv1D": "write nn.Conv1d(c_in, c_out, k)",
    "Conv3D": "write nn.Conv3d(c_in, c_out, k)",
    "Conv2DTranspose": "write nn.ConvTranspose2d(c_in, c_out, k)",
    "MaxPooling1D": "write nn.MaxPool1d",
    "AveragePooling1D": "write nn.AvgPool1d",
    "ZeroPadding2D": "write nn.ZeroPad2d((1, 1, 1, 1))",
    "GroupNormalization": "write nn.GroupNorm(groups, channels)",
    "SpatialDropout1D": "write nn.Dropout1d",
    "SpatialDropout2D": "write nn.Dropout2d",
    "SpectralNormalization": "write nn.spectral_norm(layer)",
    "CrossMapLRN2d": "write nn.LocalResponseNorm(5)",
    **dict.fromkeys(("RNNBase", "RNNCellBase"), "write nn.RNN, nn.LSTM or nn.GRU, or class Net(nn.Module)"),
    "LinearCrossEntropyOptions": "write nn.Linear, and nn.CrossEntropyLoss of what it gives",
    "SyncBatchNorm": "everything runs on one processor: nn.BatchNorm2d",
    "Softmax2d": "write nn.Softmax(dim=1)",
    "NLLLoss2d": "write nn.NLLLoss(), which takes images too",
    "LinearCrossEntropyLoss": "write nn.Linear, and nn.CrossEntropyLoss of what it gives",
    "AdaptiveLogSoftmaxWithLoss": "write nn.Linear, and nn.CrossEntropyLoss of what it gives",
    "Container": "write class Net(nn.Module), or nn.Sequential",
    "AveragedModel": "write nn.ExponentialMovingAverage(0.999), a callback of nn.fit",
    "DataParallel": "everything runs on one processor",
    **dict.fromkeys(
        ("FractionalMaxPool2d", "FractionalMaxPool3d"),
        "write nn.AdaptiveMaxPool2d(3), whose windows are even",
    ),
    **dict.fromkeys(
        ("UninitializedParameter", "UninitializedBuffer"), "write nn.Dense(units), which makes its parameters later"
    ),
    **dict.fromkeys(
        tuple(
            f"Lazy{kind}{axes}d"
            for kind in ("Conv", "ConvTranspose", "BatchNorm", "InstanceNorm")
            for axes in (1, 2, 3)
        ),
        "write the layer with its number of channels: nn.Conv2d(c_in, c_out, k)",
    ),
}

OPTIM = {
    "ASGD": "use nn.optim.SGD, and average the model.state_dict() of the last epochs",
    "Adafactor": "use nn.optim.Adam, whose state is two vectors of the parameters' size",
    "Muon": "use nn.optim.AdamW, or nn.optim.LAMB",
    "Rprop": "use nn.optim.RMSprop, its form for mini-batches",
    "SparseAdam": "use nn.optim.Adam; every adjoint is a whole array",
    "clip_grad_norm_": "use nn.optim.clip_grad_norm(optimizer, 1.0), which works in place too",
    "clip_grad_value_": "use nn.optim.clip_grad_value(optimizer, 1.0), which works in place too",
    "ChainedScheduler": "use nn.optim.SequentialLR, or one nn.optim.LambdaLR of the product",
    "CyclicLR": "use nn.optim.OneCycleLR or nn.optim.CosineAnnealingWarmRestarts",
    "swa_utils": "use nn.ExponentialMovingAverage(0.999), a callback of nn.fit",
}

FUNCTIONS = {
    **{
        f"{name}_": f"Tensors are never written into; write nn.functional.{name}"
        for name in ("celu", "elu", "hardtanh", "leaky_relu", "relu", "rrelu", "selu", "threshold")
    },
    **dict.fromkeys(("upsample", "upsample_nearest", "upsample_bilinear"), "write nn.functional.interpolate"),
    **dict.fromkeys(
        (f"max_pool{axes}d_with_indices" for axes in (1, 2, 3)),
        "write nn.functional.max_pool2d(x, k, return_indices=True)",
    ),
    **dict.fromkeys(
        (f"adaptive_max_pool{axes}d_with_indices" for axes in (1, 2, 3)),
        "write nn.functional.adaptive_max_pool2d(x, 1, return_indices=True)",
    ),
    **{
        f"fractional_max_pool{axes}d{what}": "write nn.functional.adaptive_max_pool2d, whose windows are even"
        for axes in (2, 3)
        for what in ("", "_with_indices")
    },
    "native_channel_shuffle": "write nn.functional.channel_shuffle(x, 2), of an even number of channels",
    "multi_head_attention_forward": "write nn.MultiheadAttention(64, 4), or nn.functional.scaled_dot_product_attention",
    "conv_tbc": "write nn.functional.conv1d, of images with the batch first and the time last",
    **dict.fromkeys(("grouped_mm", "scaled_mm", "scaled_grouped_mm"), "write np.matmul"),
    "linear_cross_entropy": "write nn.functional.linear, and nn.functional.cross_entropy of what it gives",
}

METHODS = {
    "append": "write model.add(layer)",
    "build": "write nn.Input((n,)) as the first layer of a Sequential",
    "count_params": "write model.summary().parameters",
    **dict.fromkeys(("weights", "trainable_weights", "trainable_variables"), "write list(model.parameters())"),
    "get_layer": "write model[0], or dict(model.named_modules())",
    "register_parameter": "assign the Tensor: self.name = ad.Tensor(array)",
    "register_module": "assign the Module: self.name = layer",
    "add_module": "assign it, self.name = layer, or use Sequential.add",
    "requires_grad_": "write model.freeze() and model.unfreeze()",
    "register_full_backward_hook": "read loss.adjoints(), or use nn.watch",
    "flatten_parameters": "leave it out; each parameter is used where it is",
    "generate_square_subsequent_mask": "write is_causal=True in the call",
    "compile": "that is a Sequential's; write nn.fit(model, (X, y), loss, optimizer)",
    "fit": "write nn.fit(model, (X, y), loss, optimizer)",
    "evaluate": "write nn.evaluate(model, (X, y), loss, metrics)",
    "predict": "write nn.predict(model, X)",
    "save": "write nn.save(model, path)",
    "save_weights": "write nn.save(model, path)",
    "load_weights": "write model.load_state_dict(nn.load(path))",
    "get_weights": "write model.state_dict()",
    "set_weights": "write model.load_state_dict(state)",
    "trainable": "write model.freeze() and model.unfreeze()",
    **dict.fromkeys(("cuda", "cpu", "device"), 'write model.to("cuda") or model.to("cpu")'),
    **dict.fromkeys(("float", "double", "half"), "layers are made in their dtype: nn.Linear(3, 4, dtype=np.float64)"),
}

FIT = {
    "validation_data": "write validation=(X, y)",
    "validation_split": "write validation=0.2",
    "class_weight": "write loss=nn.CrossEntropyLoss(weight=np.ones(classes)), or sample_weight=",
    "initial_epoch": "write resume=, which knows where it was",
    "steps_per_epoch": "an epoch goes through all samples; take fewer",
    "x": "write nn.fit(model, X, y, loss, optimizer)",
}

DATA = {
    "Dataset": "arrays are data sets: write nn.data.TensorDataset(X, y)",
    "Subset": "write nn.data.TensorDataset(X[indices], y[indices])",
    "ConcatDataset": "write nn.data.TensorDataset(np.concatenate([X, X]), np.concatenate([y, y]))",
    "ImageFolder": "write nn.data.image_folder(folder)",
    "load_digits": "write nn.data.digits()",
    "load_iris": "write nn.data.iris()",
}

OPTIMIZER = {
    "beta_1": "write betas=(0.9, 0.999)",
    "beta_2": "write betas=(0.9, 0.999)",
    "epsilon": "write eps=1e-7",
    "rho": "write alpha=0.9",
    "clipnorm": "write fit(..., clip_norm=1.0), or nn.optim.clip_grad_norm(optimizer, 1.0) before step()",
    "clipvalue": "write fit(..., clip_value=0.5), or nn.optim.clip_grad_value(optimizer, 0.5) before step()",
    "decay": "write nn.optim.InverseTimeLR(optimizer, 0.01) for a step size that falls",
    "decoupled_weight_decay": "use nn.optim.AdamW",
    **dict.fromkeys(("capturable", "differentiable"), "a step is no part of any graph; leave it out"),
    "foreach": "all parameters are one vector; leave it out",
    "fused": "all parameters are one vector; leave it out",
}

DENSE = {
    "kernel_regularizer": "the optimizer has it, for all layers' weights: l2(0.01) is nn.optim.Adam(weight_decay=0.02, "
    "decay_biases=False)",
    "bias_regularizer": "the optimizer has it, for all parameters: l2(0.01) is nn.optim.Adam(weight_decay=0.02)",
    "bias_initializer": "the bias starts at 0; assign another value, layer.bias.value = array",
    "kernel_constraint": "write a callback, nn.Callback, that assigns layer.weight.value",
}

# Arguments that layers of other libraries take, for any layer.
LAYER = {
    "device": "everything is in main memory; leave it out",
    **DENSE,
    "activity_regularizer": "add its penalty, of what the layer gives, to the loss",
    "bias_constraint": "write a callback, nn.Callback, that assigns layer.bias.value",
    "use_bias": "write bias=False",
    "name": "name the attribute that holds the layer",
    "max_norm": "normalise the rows after a step, in a callback, nn.Callback: layer.weight.value = array",
    "norm_type": "it is max_norm's, which is not here; leave it out",
    "scale_grad_by_freq": "divide layer.weight.grad by how often each row was looked up, before the optimizer's step",
    "sparse": "every adjoint is a whole array; leave it out",
    "inplace": "Tensors are never written into; leave it out",
    "return_sequences": "a recurrent layer gives (output, state): take output, or state for the last step's",
    "return_state": "a recurrent layer gives (output, state)",
}

FLATTEN = {
    "input_shape": "write nn.Input((1, height, width)) as the layer before it",
}

EMBEDDING = {
    "input_length": "write nothing; the sequences may have any length",
    "mask_zero": "write padding_idx=0 for the vector of what stands for nothing",
}

EARLY_STOPPING = {
    "verbose": "why a training ended is shown with its epochs; leave it out",
    "baseline": "write a callback that calls training.stop('why')",
    "start_from_epoch": "write a larger patience=",
}

LOADER = {
    "num_workers": "batches are slices of arrays, made where they are asked for; leave it out",
    "pin_memory": "leave it out",
    "generator": "write rng=0, or a numpy.random.Generator",
    "sampler": "write shuffle=True, replacement=True, or DataLoader(X[order], y[order])",
    "collate_fn": "write DataLoader(X, y) of whole arrays, np.stack(list(rows)) of single ones",
}


F = TypeVar("F", bound=Callable[..., Any])


def also(what: str, names: Mapping[str, str], answers: Mapping[str, str]) -> Callable[[F], F]:
    """A decorator that adds other names of keyword arguments: also("Adam", {"learning_rate": "lr"}, answers).

    Raises TypeError if both names are given, and for an argument that is in `answers`, with what to write instead.
    """

    def called(function: F) -> F:
        signature = inspect.signature(function)
        open_ended = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())

        @functools.wraps(function)
        def calling(*args: Any, **given: Any) -> Any:
            for name in (given.keys() & names.keys()) - signature.parameters.keys():
                value, own = given.pop(name), names[name]
                if own in given or own in signature.bind_partial(*args).arguments:
                    raise TypeError(
                        f"{what}: {name} is another name of {own}; received both, {name}={value!r:.80}. Pass one."
                    )
                given[own] = value
            if not open_ended:
                refuse((n for n in given if n in answers and n not in signature.parameters), answers, what)
            return function(*args, **given)

        return cast(F, calling)

    return called


def missing(package: str, name: str, answers: Mapping[str, str]) -> AttributeError | ImportError:
    """The error for a name that a package does not have, with what to write instead if that is known.

    The package's __getattr__ raises it. For `from nn import name` it is an ImportError, because Python drops the text
    of an AttributeError there.
    """
    if name in answers:
        importing = sys._getframe(2).f_code.co_name == "_handle_fromlist"
        return (ImportError if importing else AttributeError)(f"{package} has no {name!r}: {answers[name]}.", name=name)
    return AttributeError(f"module {package!r} has no attribute {name!r}", name=name)


def answering(constructor: F) -> F:
    """A layer's __init__ that raises a helpful TypeError, from `LAYER`, for options that only other libraries have."""

    @functools.wraps(constructor)
    def constructing(self: Any, *args: Any, **given: Any) -> None:
        try:
            constructor(self, *args, **given)
        except TypeError:
            parameters = inspect.signature(constructor).parameters
            if all(p.kind is not p.VAR_KEYWORD for p in parameters.values()):
                refuse((n for n in given if n in LAYER and n not in parameters), LAYER, type(self).__name__)
            raise

    return cast(F, constructing)


def refuse(given: Iterable[str], answers: Mapping[str, str], what: str) -> None:
    """Raise TypeError for the first of the arguments, with what to write instead if that is known."""
    for name in given:
        raise TypeError(f"{what} has no argument {name!r}" + (f"; {answers[name]}." if name in answers else "."))
