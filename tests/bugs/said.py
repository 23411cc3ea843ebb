"""What the checker says of bugs, and what to write instead: of each hint that one of them has, one.

Each row: the bug, the property that finds it (None where all are asked), how the problem begins,
and the hint.
"""

__all__ = ["SAID"]

SAID = [
    (
        "AccUpdateForgetsBias",
        "accUpdate",
        "the parameter of gradBias is not what it was - lr * gradBias of this call.",
        "leave it to nn.Module: it subtracts lr times what this call adds to gradients of 0",
    ),
    (
        "SecondAccumulationOverwrites",
        "accumulate",
        "gradWeight after a second call is not what it was before plus what the call adds.",
        "self.gradWeight += scale * ...: +=, for every gradient",
    ),
    (
        "GradientBufferReused",
        "aliasing",
        "the gradInput array was reused: a later call changed what an earlier one returned.",
        "make a new array in each call: no out=, and no writing into one that was returned",
    ),
    (
        "KeptTanhHandedOut",
        "aliasing",
        "the output array is kept: written to, it is given again as it is then.",
        "return a copy of what is kept: .copy()",
    ),
    (
        "BufferFadesInBackward",
        "repeat",
        "after it, the same forward gives other numbers.",
        "a backward reads what the forward needs, and leaves it as it is",
    ),
    (
        "KeptTanhOfOtherDtype",
        "dtype",
        "of float32 it makes float64 after a call with the same numbers in float64.",
        "what is kept belongs to one dtype, too: compare it, or let it be a part of the key",
    ),
    (
        "LogSoftMaxShiftedByBatch",
        None,
        "the output of sample 0 alone is not row 0 of the batch's: samples mix.",
        "the first axis is the samples': take means, sums and maxima along others, as in "
        ".max(axis=1, keepdims=True)",
    ),
    (
        "BatchOfOneTakenForSample",
        "batch",
        "the output of sample 0 alone is not row 0 of the batch's: samples mix. Its shape is "
        "(3,), expected (1, 3).",
        "the first axis is the samples': take means, sums and maxima along others, as in "
        ".max(axis=1, keepdims=True)",
    ),
    (
        "BatchSizeFixedByFirstForward",
        "batch",
        "with input of shape (3, 3), it raises ValueError",
        "take sizes from the input of each call, as len(input), and from settings",
    ),
    (
        "GradBiasAveragesOverBatch",
        "batch",
        "gradBias of a batch is not the sum over its samples.",
        "add up all samples, .sum(axis=0), and divide by no number",
    ),
    (
        "GradGainWrongForBareSample",
        "batch",
        "gradWeight: for one sample without batch dimension it is not what it is for a batch "
        "of one.",
        "compute with input[None], and return the first row",
    ),
    (
        "LargestOfWholeBatch",
        "batch",
        "the gradInput of sample 0 alone is not row 0 of the batch's.",
        "what a sample gets depends on its own input and gradOutput",
    ),
    (
        "FitsBySize",
        "broadcast",
        "input (15, 1) and target (15,) are broadcast silently.",
        "in both methods: if input.shape != target.shape: raise "
        'torchlite.errors.ShapeError(f"input {input.shape}, target {target.shape}")',
    ),
    (
        "CloneForgetsBias",
        "clone",
        "clone does not carry all parameters and gradients.",
        "leave clone and __deepcopy__ to nn.Module, or copy every attribute",
    ),
    (
        "CloneForgetsMode",
        "clone",
        "train is True in the copy of one that has False.",
        "leave clone, __getstate__ and __setstate__ to nn.Module: they carry train",
    ),
    (
        "CloneForgetsSetting",
        "clone",
        "a copy gives other numbers.",
        "what makes a difference is kept in attributes of the layer",
    ),
    (
        "CloneIsImpossible",
        "clone",
        "it raises TypeError",
        "what cannot be copied, as a lock or an open file, is named in the class, transient ="
        ' ("lock",), and made where it is needed',
    ),
    (
        "CloneIsItself",
        "clone",
        "it carries results of earlier calls.",
        "leave clone to nn.Module, or call clearState() of the copy",
    ),
    (
        "CloneSharesWeights",
        "clone",
        "the copy shares arrays with the original.",
        "copy.deepcopy, not copy.copy: arrays are copied, too",
    ),
    (
        "SequentialForgetsLast",
        "container",
        "it is not its modules one by one.",
        "leave updateOutput and backward's two calls to the container's class",
    ),
    (
        "SmoothEluOfExp",
        "digits",
        "in float32 it has lost most digits of what float64 gives.",
        "no difference of numbers that are nearly equal: np.expm1(x), not np.exp(x) - 1; "
        "np.log1p(x), not np.log(1 + x)",
    ),
    (
        "AlwaysDouble",
        "dtype",
        "of float32 it makes float64.",
        "np.zeros, np.ones, np.empty and np.arange make float64: give them dtype=input.dtype,"
        " or use np.zeros_like(input)",
    ),
    (
        "AlwaysSingle",
        "dtype",
        "of float64 it makes float32.",
        "dtype=input.dtype in the place of dtype=np.float32 and .astype(np.float32)",
    ),
    (
        "CrossEntropyOfShares",
        "dtype",
        "in float32 it is NaN where the number is finite: something overflows on the way, or "
        "a sum is 0. Of exponentials, subtract the maximum first.",
        "np.exp(x - x.max(axis=-1, keepdims=True)) in a softmax; (1 + np.tanh(x / 2)) / 2 is "
        "the sigmoid, np.logaddexp(0, x) is log(1 + exp(x))",
    ),
    (
        "RefusesSinglePrecision",
        "dtype",
        "with float32 input, it raises TypeError",
        "take float32, too: after net.float() all is of it",
    ),
    (
        "WrongInSinglePrecision",
        "dtype",
        "in float32 it differs from float64.",
        "constants that float32 does not have are lost: 1e-50 is 0 in it",
    ),
    (
        "GradientFromBareShape",
        "duck",
        "an array of another kind raises TypeError",
        "use operators, and NumPy's functions, of the arrays that are given: no np.asarray, "
        "np.array(input), float(input)",
    ),
    (
        "EmptyBatchHasNoFirstSample",
        "empty",
        "a batch of no samples raises IndexError",
        "without samples there is no first or last one: take sizes from input.shape",
    ),
    (
        "EmptyBatchHasNoLargest",
        "empty",
        "a batch of no samples raises ValueError",
        "of no numbers there is no largest: take it of each sample, .max(axis=1), or with "
        "initial=-np.inf",
    ),
    (
        "EmptyBatchHasNothingToStack",
        "empty",
        "a batch of no samples raises ValueError",
        "without samples there is nothing to stack: make the array first, "
        "np.empty((len(input), n), input.dtype), and fill its rows; or compute all samples at"
        " once",
    ),
    (
        "LossLostByRefusal",
        "exceptions",
        "it raised AttributeError and had changed output.",
        "look at all arguments first, and set attributes after that",
    ),
    (
        "FlatIsNewEachTime",
        "flat",
        "a second call returns other memory.",
        "leave getParameters to nn.Module, and use the arrays that parameters() returns",
    ),
    (
        "OnlyUpdateRefreshesCache",
        "flat",
        "afterwards it does not give what the new parameters give.",
        "what depends on parameters is computed in updateOutput, each time",
    ),
    (
        "GradInputIsOneArray",
        "gradInput",
        "gradInput is (5, 3), expected [(5, 3), (5, 3)].",
        "an array for each one of input's, in its shape",
    ),
    (
        "GradientOfBareSampleOnly",
        "gradInput",
        "gradInput has shape (15,), expected (5, 3).",
        "an entry for each one of input's, in its shape",
    ),
    (
        "LossInSinglePrecision",
        "gradInput",
        "in float64 it trembles by 2e-06 where the input moves by less, as lower precision does.",
        "compute in input's dtype: no float32, no rounding",
    ),
    (
        "GradientOfIntegers",
        "gradParameters",
        "gradWeight is int64, not an array of floating numbers.",
        "np.ones(3), np.array([1.0, 2.0]): a point makes floating numbers",
    ),
    (
        "GradientsKeptInFloat",
        "gradParameters",
        "db has the dtype float32, its parameter float64.",
        "make it by np.zeros_like(parameter)",
    ),
    (
        "GradientsReboundByZero",
        "identity",
        "it put another array in the place of a parameter or gradient, which breaks sharing "
        "and flat views.",
        "write into the array, as self.gradWeight += ... or self.gradWeight[...] = ...; "
        "self.gradWeight = ... puts another in its place",
    ),
    (
        "FlippedIdsGetRoundedGradients",
        "integers",
        "the gradient of integers and booleans is not zeros of their dtype.",
        "np.zeros_like(input)",
    ),
    (
        "FlippedRefusesIntegersBack",
        "integers",
        "with int64 as gradOutput, it raises TypeError",
        "do not read the gradOutput of integers and booleans: it may be anything",
    ),
    (
        "DroppedWithLastMask",
        "interleave",
        "after two forwards of one input it takes the mask, or noise, of the first.",
        "draw anew in every updateOutput, and keep what was drawn last",
    ),
    (
        "TargetOfLastForward",
        "interleave",
        "it raises AttributeError",
        "compute again, from input, what it takes of the last forward (self.output, a mask); "
        "or raise torchlite.errors.StateError unless np.array_equal(input, the input of that)",
    ),
    (
        "ReadsRawBuffer",
        "layout",
        "with sliced input, it raises ValueError",
        "index and reshape: order='K', strides, .data and as_strided read the memory, in "
        "which numbers may lie otherwise",
    ),
    (
        "ReluPassesPositiveGradients",
        "linear",
        "it is not linear in gradOutput.",
        "gradOutput is a factor of every term, once: no abs, sign, clip or square of it, and "
        "no term without it",
    ),
    (
        "MathsOfAnotherTarget",
        "maths",
        "its Maths raises AxisError in `output = ((input - target[0].T[:1]) ** 2).mean(3)`",
        "it is run with the names of the layer's attributes and arguments, and np",
    ),
    (
        "MathsOfEachEntry",
        "maths",
        "the docstring's Maths gives another output. Its shape is (), expected (5, 3).",
        "mend the docstring, or the code: they say different things",
    ),
    (
        "EvaluateForgetsItself",
        "modes",
        "EvaluateForgetsItself.train is True afterwards.",
        "call super().evaluate() and super().training(); keep parts in self.modules",
    ),
    (
        "EvaluateHalvesWeights",
        "modes",
        "it changed parameters.",
        "training() and evaluate() set self.train, and nothing else",
    ),
    (
        "EvaluateReturnsNothing",
        "modes",
        "it does not return self.",
        "end it with: return self",
    ),
    (
        "ForwardSwitchesToTraining",
        "modes",
        "it switches the mode.",
        "training() and evaluate() alone set self.train",
    ),
    (
        "OutputDoubledWhileMeasured",
        "modes",
        "after a forward in training it gives something else in evaluation.",
        "in evaluation use nothing that a training forward drew, or measured of its batch alone",
    ),
    (
        "BlockAddsInPlace",
        "mutation",
        "it changed what updateOutput of Tanh, inside, returned.",
        "write output = inner.forward(input) + input: output += input writes into inner.output, "
        "which is that array",
    ),
    (
        "InputClippedInPlace",
        "mutation",
        "it changed its input.",
        "write to a copy, input = input.copy(), or use expressions: no input[...] = ..., "
        "input *= ... or out=input, nor of a view of it, as input.T or input.reshape(-1)",
    ),
    (
        "InputMadeReadOnly",
        "mutation",
        "it made an array that it was given read-only.",
        "leave the flags of arrays that are given as they are, or set those of a copy",
    ),
    (
        "ReluInPlaceOnTheWayBack",
        "mutation",
        "it changed gradOutput.",
        "write to a copy, gradOutput = gradOutput.copy(), or use expressions: no "
        "gradOutput[...] = ..., gradOutput *= ... or out=gradOutput, nor of a view of it, as "
        "gradOutput.T or gradOutput.reshape(-1)",
    ),
    (
        "TargetMutated",
        "mutation",
        "it changed its target.",
        "write to a copy, target = target.copy(), or use expressions: no target[...] = ..., "
        "target *= ... or out=target, nor of a view of it, as target.T or target.reshape(-1)",
    ),
    (
        "WeightNormalisedByForward",
        "mutation",
        "it changed parameters.",
        "forward and backward read parameters; updateParameters alone writes to them",
    ),
    (
        "HingeSwallowsNan",
        "nan",
        "an input of NaN gives 0, which hides what went wrong.",
        "a comparison with NaN is False: np.maximum(x, 0), or np.where(x <= 0, 0, x), keeps "
        'NaN where np.where(x > 0, x, 0) loses it; if it is to be lost: exempt = {"nan": '
        '"why"} in the class',
    ),
    (
        "NanOfTargetLeftOut",
        "nan",
        "a target of NaN gives 0, which hides what went wrong.",
        "let NaN through: np.maximum, .sum() and .mean() keep it, np.fmax, np.nansum, "
        "np.nanmean and np.nan_to_num do not",
    ),
    (
        "BackwardIgnoresNone",
        "none",
        "with gradInput = None it does not return None.",
        "leave backward to nn.Module: it looks whether gradInput is None",
    ),
    (
        "PickleRoundsParameters",
        "pickle",
        "pickle does not carry all parameters and gradients.",
        "what makes a difference is kept in attributes that __getstate__ does not leave out",
    ),
    (
        "AttentionDropsWithNumPy",
        "repeat",
        "it draws from np.random, which manualSeed does not seed. Draw from torchlite.random.",
        "from torchlite import random; random.uniform(0, 1, size=input.shape), or "
        "random.normal, in the place of it",
    ),
    (
        "LossHalvedAfterExplosion",
        "repeat",
        "after a call with huge and tiny numbers it gives other numbers.",
        "a call must not depend on those before it: make in updateOutput anew what it keeps "
        "of a call, and add nothing to what was there",
    ),
    (
        "AccGradParametersScalesGradInput",
        "scale",
        "with scale 0 it changes the gradient of the input.",
        "scale is a factor in accGradParameters, and nowhere else",
    ),
    (
        "ScaleAppliedToWhatWasThere",
        "scale",
        "with scale 0, gradWeight does not get 0 times what it gets with scale 1.",
        "self.gradWeight += scale * ...: a factor of all that is added, once",
    ),
    (
        "ScaleDroppedByBackward",
        "scale",
        "with scale 0, gradWeight does not get 0 times what it gets with scale 1.",
        "leave backward to nn.Module, or pass it on: self.accGradParameters(input, "
        "gradOutput, scale)",
    ),
    (
        "ShareForgetsBias",
        "sharing",
        "a clone that shares all arrays has parameters of its own.",
        "leave share, clone and updateParameters to nn.Module",
    ),
    (
        "AccGradParametersReturnsItself",
        "split",
        "it returned AccGradParametersReturnsItself, not None.",
        "add to the gradients, and return nothing",
    ),
    (
        "BackwardHalves",
        "split",
        "it is not what updateGradInput gives.",
        "leave backward to the base class: it calls what the contract says",
    ),
    (
        "ForwardDoesMoreThanUpdateOutput",
        "split",
        "it is not updateOutput.",
        "leave forward to the base class: it calls updateOutput",
    ),
    (
        "GradBiasNeedsUpdateGradInput",
        "split",
        "without updateGradInput before it, it gives other gradients.",
        "compute there, from input and gradOutput, what updateGradInput left for it: it may "
        "be called alone",
    ),
    (
        "GradientOfBareSampleOnly",
        "split",
        "gradInput is (15,), expected (5, 3) like input.",
        "an entry for each one of input's, in its shape",
    ),
    (
        "GradientsAccumulatedByBoth",
        "split",
        "it changed gradients of parameters.",
        "add to gradients in accGradParameters, and nowhere else",
    ),
    (
        "LossBackwardReturnsNothing",
        "split",
        "self.gradInput is not what it returned.",
        "end it with: self.gradInput = ...; return self.gradInput",
    ),
    (
        "LossNotKept",
        "split",
        "self.output is not what it returned.",
        "end it with: self.output = ...; return self.output",
    ),
    (
        "LossOfSinglePrecision",
        "split",
        "the loss is float32, not a Python float or NumPy's number of the input's precision.",
        "make a number of it: float(loss), or loss.item()",
    ),
    (
        "GradInputAccumulates",
        "twice",
        "after a second forward or updateGradInput it gives other numbers.",
        "a call must not depend on those before it: make in updateOutput anew what it keeps "
        "of a call, and take nothing out of it in backward",
    ),
    (
        "LargestForgottenByBackward",
        "twice",
        "it raises StateError",
        "a backward may come twice: read what the forward kept, and leave it there",
    ),
    (
        "ParametersAreOneList",
        "update",
        "it does not return two lists.",
        "return [self.weight, self.bias], [self.gradWeight, self.gradBias]",
    ),
    (
        "ParametersListBiasTwice",
        "update",
        "it returns db and its parameter twice.",
        "list each parameter once",
    ),
    (
        "SlopeOfOneNumber",
        "update",
        "slope has a gradient, but parameters() does not return both. Return them, or say in "
        "its docstring what stays as it is.",
        "def parameters(self): return [self.weight, self.bias], [self.gradWeight, self.gradBias]",
    ),
    (
        "UpdateForgetsBias",
        "update",
        "the parameter of gradBias is not what it was - 0.5 * gradBias.",
        "parameter -= learningRate * gradient, for each pair of zip(*self.parameters()): "
        "nn.Module does it",
    ),
    (
        "UpdateMissesCachedTranspose",
        "update",
        "afterwards it does not give what the new parameters give.",
        "what depends on parameters is computed in updateOutput, each time",
    ),
    (
        "UpdateReturnsNothing",
        "update",
        "it does not return self.",
        "end it with: return self",
    ),
    (
        "UpdateZeroesGradients",
        "update",
        "it changed gradients.",
        "read gradients, and write to parameters",
    ),
    (
        "GradientsStartAsRubbish",
        "zero",
        "gradWeight does not start at 0.",
        "make it by np.zeros_like(parameter)",
    ),
    (
        "ZeroMultiplies",
        "zero",
        "gradWeight is not 0 afterwards.",
        "gradient.fill(0), for each; gradient *= 0 keeps NaN",
    ),
    (
        "ZeroReturnsNothing",
        "zero",
        "it does not return self.",
        "end it with: return self",
    ),
    (
        "ZeroTouchesParameters",
        "zero",
        "it changed parameters.",
        "set gradients to 0, and nothing else",
    ),
]
