"""Names that users of PyTorch and Keras type and that are not here, each with what to write instead."""

NAMES = {
    "Tensor": "write ad.Tensor(array)",
    "manual_seed": "pass rng=0 to what is random: layers, fit, DataLoader",
    "Parameter": "a leaf Tensor among a Module's attributes is a parameter: self.w = ad.Tensor(array)",
    "ParameterList": "write a plain list of Tensors; it is walked",
    "ParameterDict": "write a plain dict of Tensors; it is walked",
    "ModuleList": "write a plain list of Modules; it is walked",
    "ModuleDict": "write a plain dict of Modules; it is walked",
    "Buffer": "an ndarray among a Module's attributes is a buffer: self.mean = np.zeros(3)",
    "LazyLinear": "write nn.Dense(units), which finds its number of inputs",
    "DataLoader": "write nn.data.DataLoader",
    "Input": "write the first layer's input_shape=(n,), or nn.Linear(n, units)",
    "Model": "write class Net(nn.Module), or nn.Sequential",
    "BatchNormalization": "write nn.BatchNorm1d(features), or nn.BatchNorm2d(channels)",
    "LayerNormalization": "write nn.LayerNorm(features)",
    "MaxPooling2D": "write nn.MaxPool2d",
    "AveragePooling2D": "write nn.AvgPool2d",
    "Conv2D": "write nn.Conv2d(in_channels, out_channels, kernel_size)",
    "Activation": "write the layer, nn.ReLU(), or Dense(..., activation='relu')",
    "ModelCheckpoint": "write fit(..., checkpoint='run.safetensors')",
    "ReduceLROnPlateau": "write fit(..., schedule=lambda optimizer: nn.optim.ReduceLROnPlateau(optimizer))",
    "CSVLogger": "write history.to_csv(path)",
    "utils": "write nn.optim.clip_grad_norm, nn.weight_norm, nn.spectral_norm, or nn.flat for one vector of all",
    "no_grad": "write ad.no_grad()",
    "parallel": "everything runs on one processor",
    "quantization": "parameters are float32 or float64",
    "GlobalAveragePooling2D": "write nn.AdaptiveAvgPool2d(1), and nn.Flatten() after it",
    "GlobalMaxPooling2D": "write nn.AdaptiveMaxPool2d(1), and nn.Flatten() after it",
    "UpSampling2D": "write nn.Upsample(scale_factor=2)",
    "UpsamplingNearest2d": "write nn.Upsample(scale_factor=2)",
    "UpsamplingBilinear2d": "write nn.Upsample(scale_factor=2, mode='bilinear', align_corners=True)",
    "Conv1D": "write nn.Conv1d(in_channels, out_channels, kernel_size)",
    "Conv3D": "write nn.Conv3d(in_channels, out_channels, kernel_size)",
    "Conv2DTranspose": "write nn.ConvTranspose2d(in_channels, out_channels, kernel_size)",
    "MaxPooling1D": "write nn.MaxPool1d",
    "AveragePooling1D": "write nn.AvgPool1d",
    "ZeroPadding2D": "write nn.ZeroPad2d((left, right, top, bottom))",
    "GroupNormalization": "write nn.GroupNorm(groups, channels)",
    "SpatialDropout1D": "write nn.Dropout1d",
    "SpatialDropout2D": "write nn.Dropout2d",
    "SpectralNormalization": "write nn.spectral_norm(layer)",
    "LocalResponseNorm": "write nn.GroupNorm or nn.BatchNorm2d, which took its place",
    "CrossMapLRN2d": "write nn.GroupNorm or nn.BatchNorm2d, which took its place",
    "SyncBatchNorm": "everything runs on one processor: nn.BatchNorm2d",
    "ChannelShuffle": "reshape to (batch, groups, channels / groups, ...), np.swapaxes(x, 1, 2), and reshape back",
    "Softmax2d": "write nn.Softmax(dim=1)",
    "NLLLoss2d": "write nn.NLLLoss(), which takes images too",
    "LinearCrossEntropyLoss": "write nn.Linear, and nn.CrossEntropyLoss of what it gives",
    "AdaptiveLogSoftmaxWithLoss": "write nn.Linear, and nn.CrossEntropyLoss of what it gives",
    "Container": "write class Net(nn.Module), or nn.Sequential",
    "DataParallel": "everything runs on one processor",
    **dict.fromkeys(
        ("LPPool1d", "LPPool2d", "LPPool3d"),
        "write a function, lambda x: nn.functional.avg_pool2d(x**p, size, divisor_override=1) ** (1 / p)",
    ),
    **dict.fromkeys(
        ("FractionalMaxPool2d", "FractionalMaxPool3d"),
        "write nn.AdaptiveMaxPool2d(size), whose windows are even",
    ),
    **dict.fromkeys(
        ("MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d"),
        "write nn.Upsample or nn.ConvTranspose2d; where maxima lie, nn.MaxPool2d(size, return_indices=True) gives",
    ),
    **dict.fromkeys(
        ("UninitializedParameter", "UninitializedBuffer"), "write nn.Dense(units), which makes its parameters later"
    ),
    "Unflatten": "write a function, lambda x: np.reshape(x, (len(x), *shape))",
    **dict.fromkeys(
        ("ZeroPad3d", "ConstantPad3d", "ReflectionPad3d", "ReplicationPad3d", "CircularPad3d"),
        "write a function, lambda x: nn.functional.pad(x, (left, right, top, bottom, front, back), mode)",
    ),
    **dict.fromkeys(
        ("AlphaDropout", "FeatureAlphaDropout"),
        "write nn.Dropout or nn.Dropout2d; with nn.SELU take little of it",
    ),
    **dict.fromkeys(
        tuple(
            f"Lazy{kind}{axes}d"
            for kind in ("Conv", "ConvTranspose", "BatchNorm", "InstanceNorm")
            for axes in (1, 2, 3)
        ),
        "write the layer with its number of channels: nn.Conv2d(in_channels, out_channels, kernel_size)",
    ),
    **dict.fromkeys(("RNN", "LSTM", "GRU", "Transformer", "MultiheadAttention"), "write it as a Module of your own"),
}

_ENLARGING = "write nn.functional.interpolate, or conv_transpose2d"

FUNCTIONS = {
    **{
        f"{name}_": f"Tensors are never written into; write nn.functional.{name}"
        for name in ("celu", "elu", "hardtanh", "leaky_relu", "relu", "rrelu", "selu", "threshold")
    },
    **dict.fromkeys(("upsample", "upsample_nearest", "upsample_bilinear"), "write nn.functional.interpolate"),
    **dict.fromkeys(("max_unpool1d", "max_unpool2d", "max_unpool3d"), _ENLARGING),
    **dict.fromkeys(("lp_pool1d", "lp_pool2d", "lp_pool3d"), NAMES["LPPool2d"]),
    **dict.fromkeys(
        (f"max_pool{axes}d_with_indices" for axes in (1, 2, 3)), "write max_pool2d(..., return_indices=True)"
    ),
    "channel_shuffle": NAMES["ChannelShuffle"],
    "local_response_norm": NAMES["LocalResponseNorm"],
    "alpha_dropout": NAMES["AlphaDropout"],
    "feature_alpha_dropout": NAMES["AlphaDropout"],
    "fractional_max_pool2d": "write nn.functional.adaptive_max_pool2d, whose windows are even",
    "linear_cross_entropy": "write nn.functional.linear, and nn.functional.cross_entropy of what it gives",
    "pdist": "write nn.functional.pairwise_distance(x[i], x[j]) with i, j = np.triu_indices(len(x), 1)",
    "grid_sample": "it is not here; nn.functional.interpolate reads images at even places",
    "affine_grid": "it is not here; nn.functional.interpolate reads images at even places",
}

METHODS = {
    "append": "write model.add(layer)",
    "register_buffer": "assign the array: self.name = np.zeros(3); an ndarray attribute is a buffer",
    "register_parameter": "assign the Tensor: self.name = ad.Tensor(array)",
    "register_module": "assign the Module: self.name = layer",
    "add_module": "assign it, self.name = layer, or use Sequential.add",
    "apply": "write for module in model.modules(): ...",
    "requires_grad_": "write model.freeze() and model.unfreeze()",
    "register_forward_hook": "read the graph of the result, or use nn.watch",
    "register_full_backward_hook": "read loss.adjoints(), or use nn.watch",
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
    **dict.fromkeys(("to", "cuda", "cpu", "device"), "everything is in main memory; leave it away"),
    **dict.fromkeys(("float", "double", "half"), "layers are made in their dtype: nn.Linear(3, 4, dtype=np.float64)"),
}

FIT = {
    "class_weight": "write loss=nn.CrossEntropyLoss(weight=an array of the classes' weights)",
    "shuffle": "the samples are shuffled; for another order write nn.fit(model, nn.data.DataLoader(...), ...)",
    "initial_epoch": "write resume=, which knows where it was",
    "steps_per_epoch": "an epoch goes through all samples; take fewer",
    "x": "x is the first argument",
}
