"""What people bring from elsewhere: names of Torch7, PyTorch and Keras, arrays of other libraries.

Nothing is imported from there. Who asks for a name that is not here is told what it is called, or
that it is not there; who brings an array that is not NumPy's, how it becomes one.
"""

import sys
from collections.abc import Iterable
from types import FrameType
from typing import Any

__all__ = ["METHODS", "NAMES", "OF_NETWORKS", "TORCH7", "Absent", "absent", "as_numpy"]

_CLASSES = """
    Abs AbsCriterion Add AddConstant BCECriterion BatchNormalization Bilinear Bottle CAdd
    CAddTable CAddTensorTable CDivTable CMaxTable CMinTable CMul CMulTable CReLU CSubTable Clamp
    ClassNLLCriterion ClassSimplexCriterion Collapse Concat ConcatTable Constant Container
    Contiguous Convert Copy Cosine CosineDistance CosineEmbeddingCriterion Criterion
    CriterionTable CrossEntropyCriterion Decorator DepthConcat DistKLDivCriterion
    DistanceRatioCriterion DontCast DotProduct Dropout ELU Euclidean Exp FeatureLPPooling
    FlattenTable GPU GatedLinearUnit GradientReversal HardShrink HardTanh
    HingeEmbeddingCriterion Identity Index IndexLinear JoinTable Kmeans L1Cost
    L1HingeEmbeddingCriterion L1Penalty LayerNormalization LeakyReLU Linear LinearWeightNorm Log
    LogSigmoid LogSoftMax LookupTable MM MSECriterion MV MapTable MarginCriterion
    MarginRankingCriterion MaskedSelect Max Maxout Mean Min MixtureTable Module ModuleCriterion
    Mul MulConstant MultiCriterion MultiLabelMarginCriterion MultiLabelSoftMarginCriterion
    MultiMarginCriterion NaN Narrow NarrowTable Normalize OneHot PReLU Padding PairwiseDistance
    Parallel ParallelCriterion ParallelTable PartialLinear PixelShuffle Power PrintSize Profile
    RReLU ReLU ReLU6 Replicate Reshape Select SelectTable Sequential Sigmoid SmoothL1Criterion
    SoftMarginCriterion SoftMax SoftMin SoftPlus SoftShrink SoftSign SparseLinear
    SpatialAdaptiveAveragePooling SpatialAdaptiveMaxPooling SpatialAutoCropMSECriterion
    SpatialAveragePooling SpatialBatchNormalization SpatialClassNLLCriterion
    SpatialContrastiveNormalization SpatialConvolution SpatialConvolutionLocal
    SpatialConvolutionMM SpatialConvolutionMap SpatialCrossMapLRN SpatialDepthWiseConvolution
    SpatialDilatedConvolution SpatialDilatedMaxPooling SpatialDivisiveNormalization
    SpatialDropout SpatialFractionalMaxPooling SpatialFullConvolution SpatialFullConvolutionMap
    SpatialLPPooling SpatialLogSoftMax SpatialMaxPooling SpatialMaxUnpooling
    SpatialReflectionPadding SpatialReplicationPadding SpatialSoftMax SpatialSubSampling
    SpatialSubtractiveNormalization SpatialUpSamplingBilinear SpatialUpSamplingNearest
    SpatialZeroPadding SplitTable Sqrt Square Squeeze StochasticGradient Sum Tanh TanhShrink
    TemporalConvolution TemporalDynamicKMaxPooling TemporalMaxPooling TemporalRowConvolution
    TemporalSubSampling Threshold Transpose Unsqueeze UpSampling View VolumetricAveragePooling
    VolumetricBatchNormalization VolumetricConvolution VolumetricDilatedConvolution
    VolumetricDilatedMaxPooling VolumetricDropout VolumetricFractionalMaxPooling
    VolumetricFullConvolution VolumetricMaxPooling VolumetricMaxUnpooling
    VolumetricReplicationPadding WeightNorm WeightedEuclidean WeightedMSECriterion WhiteNoise
    ZeroGrad ZipTable ZipTableOneToMany
"""
# Every class of Torch7's nn.
TORCH7 = frozenset(_CLASSES.split())

_NOT_THERE = "not there, nor in Torch7"
_ARRAY = "arrays are NumPy's: np.array, np.zeros, np.ones ..."
_DEVICES = "net.cuda() moves a network to the GPU, net.cpu() back"
_ROWS = " on (N, C, 1, L)"
_MEANS = "nn.SpatialAveragePooling(k, k, k, k): windows are 1 apart if nothing is said"
_CONSTANTS = "nn.Padding(dim, pad, nInputDim, value), one side at a time"
_TRAIN = "nn.StochasticGradient(net, criterion).train(dataset), or a loop with torchlite.optim"

# By module, what PyTorch and Keras (and Lua, in another package) call a thing: the class of Torch7
# that it is, or what to do instead. The case of letters, and underscores, do not matter.
_LAYERS = {
    "Activation": "a layer of its own, such as nn.ReLU()",
    "AdaptiveAvgPool1d": "nn.SpatialAdaptiveAveragePooling(n, 1)" + _ROWS,
    "AdaptiveAvgPool2d": "SpatialAdaptiveAveragePooling",
    "AdaptiveAvgPool3d": _NOT_THERE,
    "AdaptiveMaxPool1d": "nn.SpatialAdaptiveMaxPooling(n, 1)" + _ROWS,
    "AdaptiveMaxPool2d": "SpatialAdaptiveMaxPooling",
    "AdaptiveMaxPool3d": _NOT_THERE,
    "Average": "nn.Sequential(nn.CAddTable(), nn.MulConstant(1 / n))",
    "AveragePooling2D": _MEANS,
    "AveragePooling3D": "VolumetricAveragePooling",
    "AvgPool1d": "nn.SpatialAveragePooling(k, 1, k, 1)" + _ROWS,
    "AvgPool2d": _MEANS,
    "AvgPool3d": "VolumetricAveragePooling",
    "BatchNorm1d": "BatchNormalization",
    "BatchNorm2d": "SpatialBatchNormalization",
    "BatchNorm3d": "VolumetricBatchNormalization",
    "BCEWithLogitsLoss": "MultiLabelSoftMarginCriterion",
    "BinaryCrossentropy": "BCECriterion",
    "CategoricalCrossentropy": "CrossEntropyCriterion",
    "Concatenate": "JoinTable",
    "ConstantPad1d": _CONSTANTS,
    "ConstantPad2d": "nn.SpatialZeroPadding(l, r, t, b) with zeros; else " + _CONSTANTS,
    "ConstantPad3d": _CONSTANTS,
    "Conv1d": "TemporalConvolution",
    "Conv2d": "SpatialConvolution",
    "Conv2DTranspose": "SpatialFullConvolution",
    "Conv3d": "VolumetricConvolution",
    "ConvTranspose1d": "nn.SpatialFullConvolution(n, m, k, 1)" + _ROWS,
    "ConvTranspose2d": "SpatialFullConvolution",
    "ConvTranspose3d": "VolumetricFullConvolution",
    "CosineSimilarity": "CosineDistance",
    "Dense": "Linear",
    "DepthwiseConv2D": "SpatialDepthWiseConvolution",
    "Dot": "DotProduct",
    "Dropout2d": "SpatialDropout",
    "Dropout3d": "VolumetricDropout",
    "Embedding": "LookupTable",
    "EmbeddingBag": "nn.Sequential(nn.LookupTable(n, m), nn.Mean(0, 2)), or nn.Sum, nn.Max",
    "Flatten": "nn.View(n).setNumInputDims(3) of images, n being the entries of a sample",
    "Fold": _NOT_THERE,
    "FractionalMaxPool2d": "SpatialFractionalMaxPooling",
    "FractionalMaxPool3d": "VolumetricFractionalMaxPooling",
    "functional": "layers are called: nn.ReLU().forward(x)",
    "GaussianNoise": "WhiteNoise",
    "GELU": _NOT_THERE,
    "GlobalAveragePooling2D": "nn.SpatialAdaptiveAveragePooling(1, 1)",
    "GlobalMaxPooling2D": "nn.SpatialAdaptiveMaxPooling(1, 1)",
    "GroupNorm": _NOT_THERE,
    "GRUCell": "nn.StepGRU; nn.RecGRU keeps its state",
    "GLU": "GatedLinearUnit",
    "HuberLoss": "SmoothL1Criterion",
    "Input": "left out: the layers say their sizes",
    "InstanceNorm2d": _NOT_THERE,
    "KLDivergence": "DistKLDivCriterion",
    "KLDivLoss": "DistKLDivCriterion",
    "L1Loss": "AbsCriterion",
    "Lambda": "a subclass of nn.Module with updateOutput and updateGradInput",
    "LayerNorm": "LayerNormalization",
    "LocalResponseNorm": "SpatialCrossMapLRN",
    "LSTMCell": "nn.StepLSTM; nn.RecLSTM keeps its state",
    "LPPool1d": "nn.SpatialLPPooling(n, p, k, 1)" + _ROWS,
    "LPPool2d": "SpatialLPPooling",
    "Maximum": "CMaxTable",
    "MaxPool1d": "TemporalMaxPooling",
    "MaxPool2d": "SpatialMaxPooling",
    "MaxPool3d": "VolumetricMaxPooling",
    "MaxPooling1D": "TemporalMaxPooling",
    "MaxPooling2D": "SpatialMaxPooling",
    "MaxPooling3D": "VolumetricMaxPooling",
    "MaxUnpool1d": "nn.SpatialMaxUnpooling(pool), pool being nn.SpatialMaxPooling(k, 1)" + _ROWS,
    "MaxUnpool2d": "SpatialMaxUnpooling",
    "MaxUnpool3d": "VolumetricMaxUnpooling",
    "MeanAbsoluteError": "AbsCriterion",
    "MeanSquaredError": "MSECriterion",
    "Minimum": "CMinTable",
    "Model": "nn.Sequential, or a subclass of nn.Container",
    "ModuleDict": "a dict of modules as an attribute",
    "ModuleList": "a list of modules as an attribute",
    "Mish": _NOT_THERE,
    "MultiheadAttention": _NOT_THERE,
    "Multiply": "CMulTable",
    "NLLLoss": "ClassNLLCriterion",
    "NLLLoss2d": "SpatialClassNLLCriterion",
    "Parameter": "an array: weight and gradWeight, or what parameters() returns",
    "Permute": "Transpose",
    "PixelUnshuffle": _NOT_THERE,
    "ReflectionPad1d": "nn.SpatialReflectionPadding(l, r, 0, 0)" + _ROWS,
    "ReflectionPad2d": "SpatialReflectionPadding",
    "RepeatVector": "Replicate",
    "ReplicationPad1d": "nn.SpatialReplicationPadding(l, r, 0, 0)" + _ROWS,
    "ReplicationPad2d": "SpatialReplicationPadding",
    "ReplicationPad3d": "VolumetricReplicationPadding",
    "RNN": "nn.Sequencer(nn.LinearRNN(inputsize, outputsize, nn.Tanh()))",
    "RNNCell": "nn.LinearRNN(inputsize, outputsize, nn.Tanh())",
    "SELU": _NOT_THERE,
    "SiLU": _NOT_THERE,
    "Softmax2d": "SpatialSoftMax",
    "SparseCategoricalCrossentropy": "CrossEntropyCriterion",
    "SpatialDropout2D": "SpatialDropout",
    "Subtract": "CSubTable",
    "Swish": _NOT_THERE,
    "ThresholdedReLU": "Threshold",
    "TimeDistributed": "Bottle",
    "TransformerEncoder": _NOT_THERE,
    "TripletMarginLoss": _NOT_THERE,
    "Unfold": _NOT_THERE,
    "Upsample": "nn.UpSampling(scale); its mode 'linear' is theirs with align_corners=True alone",
    "UpSampling2D": "SpatialUpSamplingNearest",
    "UpsamplingBilinear2d": "SpatialUpSamplingBilinear",
    "UpsamplingNearest2d": "SpatialUpSamplingNearest",
    "ZeroPad2d": "SpatialZeroPadding",
    "ZeroPadding2D": "SpatialZeroPadding",
}
NAMES: dict[str, dict[str, str]] = {
    "torchlite.nn": _LAYERS,
    # Theirs write into a parameter, ours into that of a layer.
    "torchlite.nn.init": {
        "calculate_gain": "nn.init.gain(name), where leaky_relu is 'lrelu'",
        "constant_": "nn.init.constant(layer, 'bias', value)",
        "dirac_": "nn.init.eye(layer)",
        "eye_": "nn.init.eye(layer)",
        "GlorotNormal": "nn.init.xavier(layer, dist='truncated')",
        "GlorotUniform": "nn.init.xavier(layer)",
        "HeNormal": "nn.init.kaiming(layer, gain='relu', dist='truncated')",
        "HeUniform": "nn.init.kaiming(layer, gain='relu', dist='uniform')",
        "kaiming_normal_": "nn.init.kaiming(layer, gain='relu')",
        "kaiming_uniform_": "nn.init.kaiming(layer, gain='relu', dist='uniform')",
        "normal_": "nn.init.normal(layer, 'weight', mean, stdv)",
        "ones_": "nn.init.constant(layer, 'weight', 1)",
        "orthogonal_": "nn.init.orthogonal(layer)",
        "sparse_": "nn.init.sparse(layer, 'weight', share), which leaves the others as they are",
        "trunc_normal_": "nn.init.truncated_normal(layer, 'weight', mean, stdv)",
        "uniform_": "nn.init.uniform(layer, 'weight', a, b)",
        "xavier_normal_": "nn.init.xavier(layer, dist='normal')",
        "xavier_uniform_": "nn.init.xavier(layer)",
        "zeros_": "nn.init.constant(layer, 'bias', 0)",
    },
    "torchlite.optim": {
        "AdamW": "optim.adam, whose weightDecay is added to the gradient",
        "clip_grad_norm_": "optim.clip_by_norm(gradParameters, max_norm)",
        "clip_grad_value_": "optim.clip_by_value(gradParameters, limit)",
        "lr_scheduler": 'config["learningRateDecay"], or set config["learningRate"] between calls',
        "NAdam": _NOT_THERE,
        "Optimizer": "a function each, such as optim.sgd(opfunc, x, config)",
        "RAdam": _NOT_THERE,
    },
    "torchlite": _LAYERS
    | {
        "arange": _ARRAY,
        "autograd": "every layer has a backward of its own",
        "cat": "np.concatenate, or nn.JoinTable as a layer",
        "cuda": _DEVICES,
        "device": _DEVICES,
        "DoubleTensor": _ARRAY,
        "FloatTensor": _ARRAY,
        "from_numpy": "nothing to do: " + _ARRAY,
        "get_num_threads": "torchlite.threads()",
        "getnumthreads": "torchlite.threads()",
        "load": "torchlite.serial.load(path)",
        "manual_seed": "torchlite.manualSeed(seed)",
        "no_grad": "nothing to do: only backward computes gradients",
        "ones": _ARRAY,
        "rand": "torchlite.random.uniform(size=shape)",
        "randn": "torchlite.random.normal(size=shape)",
        "randperm": "torchlite.random.randperm(n)",
        "save": "torchlite.serial.save(path, net)",
        "set_num_threads": "torchlite.threads(n)",
        "setnumthreads": "torchlite.threads(n)",
        "tensor": _ARRAY,
        "zeros": _ARRAY,
    },
}

# What PyTorch and Keras call methods and attributes of layers, and of losses.
METHODS = {
    "add_module": "add(module)",
    "append": "add(module)",
    "children": "modules, a list",
    "compile": _TRAIN,
    "eval": "evaluate()",
    "fit": _TRAIN,
    "get_weights": "parameters()",
    "half": "float(): float32 is the smallest",
    "layers": "modules, a list",
    "load_state_dict": "torchlite.interop.pytorch.load_state_dict(net, state)",
    "load_weights": "torchlite.serial.load_parameters(path, net)",
    "named_children": "modules, a list",
    "named_modules": "listModules()",
    "named_parameters": "parameters(), which returns a list of arrays and one of gradients",
    "predict": "evaluate(), then forward(input)",
    "register_backward_hook": "torchlite.stepping.record(net)",
    "register_forward_hook": "torchlite.stepping.record(net)",
    "requires_grad_": "parameters() that returns none, or a rate of 0 by optim.per_parameter",
    "reset_parameters": "reset()",
    "save": "torchlite.serial.save(path, net)",
    "save_weights": "torchlite.serial.save_parameters(path, net)",
    "state_dict": "torchlite.interop.pytorch.state_dict(net), or torchlite.serial.save(path, net)",
    "summary": "torchlite.stepping.summary(net)",
    "to": "type(dtype), float() or double() change the dtype; cuda() and cpu() move",
    "trainable_weights": "parameters()",
    "zero_grad": "zeroGradParameters()",
}
# Those that are about what networks have and criterions do not: layers, modes, parameters.
OF_NETWORKS = METHODS.keys() - {"half", "save", "to"}


def absent(module: str, name: str, known: Iterable[str]) -> AttributeError | ImportError:
    """Return the error of a name that a module does not have; it has the known ones.

    It is called by the module's `__getattr__`, and tells whether `from module import name` did so.

    Example
    -------
    >>> print(absent("torchlite.nn", "Softmax", ["Linear", "SoftMax"]))
    module 'torchlite.nn' has no attribute 'Softmax'
      hint: nn.SoftMax
    """
    hint = None if name.startswith("_") else _hint(module, name, frozenset(known))
    if hint and _imports(sys._getframe(2)):
        # Of an AttributeError Python would make an ImportError of its own, without the hint.
        said = f"cannot import name {name!r} from {module!r}\n  hint: {hint}"
        return ImportError(said, name=module)
    return _missing(f"module {module!r}", name, hint)


def _imports(frame: FrameType) -> bool:
    """Tell whether what a function does at this moment is to import a name from a module."""
    # Here, because loading it takes longer than all else in this file.
    from opcode import opname

    code = frame.f_code.co_code
    return 0 <= frame.f_lasti < len(code) and opname[code[frame.f_lasti]] == "IMPORT_FROM"


def _hint(module: str, name: str, known: frozenset[str]) -> str | None:
    texts = {_plain(other): text for other, text in NAMES[module].items()}
    spellings = {_plain(spelling): spelling for spelling in known}
    plain = _plain(name)
    criterion = plain.removesuffix("loss") + "criterion"
    text = texts.get(plain) or spellings.get(plain) or spellings.get(criterion)
    if text in known:
        if module == "torchlite.nn.init":
            return f"nn.init.{text}"
        if module != "torchlite.optim":
            return f"nn.{text}"
        return f"optim.{text}, a function" if text.islower() else f"optim.{text}"
    return text


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _missing(who: str, name: str, hint: str | None) -> AttributeError:
    message = f"{who} has no attribute {name!r}"
    if not hint:
        return AttributeError(message)
    # In an object Python would look for names alike, and print its guess behind the hint.
    return AttributeError(f"{message}\n  hint: {hint}", name=name, obj=None)


class Absent:
    """A name that a class does not have, but tells what to do instead.

    hasattr, copies and pickles see nothing of it. What a class further on in the method resolution
    order has under that name is found. (A `__getattr__` would make every attribute that is there
    four times slower to read, up to Python 3.11.)
    """

    def __init__(self, owner: type, name: str, hint: str) -> None:
        self.owner = owner
        self.name = name
        self.hint = hint
        # What help() prints below the name.
        self.__doc__ = f"Not there: {hint}"

    def __get__(self, held: Any, kind: type) -> Any:
        try:
            return getattr(super(self.owner, kind if held is None else held), self.name)
        except AttributeError:
            who = f"type object {kind.__name__!r}" if held is None else f"{kind.__name__!r} object"
            error = _missing(who, self.name, self.hint)
        raise error


# ---------------------------------------------------------------- arrays


def as_numpy(argument: str, value: Any, dtype: Any = None) -> str | None:
    """Return how an array of another library, or a list of numbers, becomes NumPy's; or None.

    dtype is what it is to have; None: whatever it has.

    Example
    -------
    >>> as_numpy("input", [1.0, 2.0], "float64")
    "np.array(input, dtype='float64')"
    """
    kind, wanted = type(value), "" if dtype is None else f", dtype='{dtype}'"
    if isinstance(value, (list, tuple, int, float)) and not isinstance(value, bool):
        return f"np.array({argument}{wanted})"
    if hasattr(kind, "iloc") or kind.__module__.startswith("pandas."):
        return f"{argument}.to_numpy({wanted.removeprefix(', ')})"
    if hasattr(kind, "toarray"):
        way = ".toarray()"
    elif hasattr(kind, "to_numpy"):
        way = ".to_numpy()"
    elif hasattr(kind, "numpy"):
        way = ".detach()" if getattr(value, "requires_grad", False) else ""
        way += ".cpu()" if getattr(value, "is_cuda", False) else ""
        way += ".numpy()"
    elif hasattr(kind, "__array__"):
        return f"np.asarray({argument}{wanted})"
    else:
        return None
    # As NumPy calls it: torch.float32 and polars' Float32 are float32.
    own = str(getattr(value, "dtype", dtype)).rpartition(".")[2].lower()
    return argument + way + ("" if dtype is None or own == str(dtype) else f".astype('{dtype}')")
