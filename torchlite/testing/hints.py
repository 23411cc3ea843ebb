"""What to write instead: the hint of each failure, by its property and its words.

Guesses at gradients that are wrong stand in `patterns`: numbers tell them.
"""

import re
from typing import Any

from torchlite.testing.words import words

__all__ = ["hint_of"]

# What several failures have in common.
RETURN_SELF = "end it with: return self"
RETURN_OUTPUT = "end it with: self.output = ...; return self.output"
RETURN_GRAD_INPUT = "end it with: self.gradInput = ...; return self.gradInput"
LIKE_INPUT = "an entry for each one of input's, in its shape"
LIKE_PARAMETER = "make it by np.zeros_like(parameter)"
IN_ITS_DTYPE = "compute in input's dtype: no float32, no rounding"
EACH_TIME = "what depends on parameters is computed in updateOutput, each time"

REMEMBERED = (
    "what is remembered belongs to one input alone: compare with np.array_equal(input, a copy of "
    "that), not with np.allclose or by a sum, or compute anew"
)
# By property: a pattern of the first line, and the hint. The first that is found there is given; of
# an error that the layer raises, one that speaks of that.
HINTS: dict[str, list[tuple[str, str]]] = {
    "mutation": [
        (
            r"read-only\.",
            "leave the flags of arrays that are given as they are, or set those of a copy",
        ),
        (
            "changed parameters",
            "forward and backward read parameters; updateParameters alone writes to them",
        ),
        (
            "inside, returned",
            "write output = inner.forward(input) + input: output += input writes into "
            "inner.output, which is that array",
        ),
        (
            "",
            "write to a copy, {name} = {name}.copy(), or use expressions: no {name}[...] = ..., "
            "{name} *= ... or out={name}, nor of a view of it, as {name}.T or {name}.reshape(-1)",
        ),
    ],
    "identity": [
        (
            "",
            "write into the array, as self.gradWeight += ... or self.gradWeight[...] = ...; "
            "self.gradWeight = ... puts another in its place",
        ),
    ],
    "zero": [
        ("return self", RETURN_SELF),
        ("start at 0", LIKE_PARAMETER),
        ("changed parameters", "set gradients to 0, and nothing else"),
        ("is not 0", "gradient.fill(0), for each; gradient *= 0 keeps NaN"),
    ],
    "repeat": [
        ("in another order|nearly the same", REMEMBERED),
        (
            "after it, the same forward",
            "a backward reads what the forward needs, and leaves it as it is",
        ),
        (
            "geterr",
            "with np.errstate(all='ignore'): ...: what it sets ends with its block",
        ),
        (
            "it seeds",
            "a stream of its own, rng = np.random.default_rng(seed), leaves that of others alone",
        ),
        (
            "draws from",
            "from torchlite import random; random.uniform(0, 1, size=input.shape), or "
            "random.normal, in the place of it",
        ),
        (
            "",
            "a call must not depend on those before it: make in updateOutput anew what it keeps "
            "of a call, and add nothing to what was there",
        ),
    ],
    "aliasing": [
        ("is kept", "return a copy of what is kept: .copy()"),
        (
            "",
            "make a new array in each call: no out=, and no writing into one that was returned",
        ),
    ],
    "clone": [
        (
            "copy.deepcopy: it raises",
            "what cannot be copied, as a lock or an open file, is named in the class, "
            'transient = ("lock",), and made where it is needed',
        ),
        (
            "default of an argument",
            "def __init__(self, weight=None), and make the array there: a default is made once",
        ),
        ("results of earlier", "leave clone to nn.Module, or call clearState() of the copy"),
        ("train is", "leave clone, __getstate__ and __setstate__ to nn.Module: they carry train"),
        ("gives other numbers", "what makes a difference is kept in attributes of the layer"),
        ("does not carry", "leave clone and __deepcopy__ to nn.Module, or copy every attribute"),
        ("", "copy.deepcopy, not copy.copy: arrays are copied, too"),
    ],
    "pickle": [
        ("", "what makes a difference is kept in attributes that __getstate__ does not leave out"),
    ],
    "modes": [
        ("return self", RETURN_SELF),
        (".train is", "call super().evaluate() and super().training(); keep parts in self.modules"),
        ("switches the mode", "training() and evaluate() alone set self.train"),
        ("changed parameters", "training() and evaluate() set self.train, and nothing else"),
        (
            "in evaluation",
            "in evaluation use nothing that a training forward drew, or measured of its batch "
            "alone",
        ),
    ],
    "update": [
        (
            "has a gradient, but|backward adds to",
            "def parameters(self): return [self.weight, self.bias], [self.gradWeight, "
            "self.gradBias]",
        ),
        ("two lists", "return [self.weight, self.bias], [self.gradWeight, self.gradBias]"),
        ("parameters and", "return as many gradients as parameters, in the same order"),
        ("not an array", "np.array(0.5) makes an array of a number"),
        ("twice", "list each parameter once"),
        ("return self", RETURN_SELF),
        ("new parameters", EACH_TIME),
        ("changed gradients", "read gradients, and write to parameters"),
        (
            "is not what it was",
            "parameter -= learningRate * gradient, for each pair of zip(*self.parameters()): "
            "nn.Module does it",
        ),
    ],
    "split": [
        ("the loss is", "make a number of it: float(loss), or loss.item()"),
        ("updateOutput: it returned", RETURN_OUTPUT),
        ("self.output is", RETURN_OUTPUT),
        ("updateGradInput: it returned", RETURN_GRAD_INPUT),
        ("self.gradInput is", RETURN_GRAD_INPUT),
        ("accGradParameters: it returned", "add to the gradients, and return nothing"),
        ("like input", LIKE_INPUT),
        ("changed gradients", "add to gradients in accGradParameters, and nowhere else"),
        ("changed gradInput", "make gradInput in updateGradInput, and nowhere else"),
        (
            "without updateGradInput",
            "compute there, from input and gradOutput, what updateGradInput left for it: it may be "
            "called alone",
        ),
        ("forward:", "leave forward to the base class: it calls updateOutput"),
        ("backward:", "leave backward to the base class: it calls what the contract says"),
    ],
    "gradInput": [
        ("shape", LIKE_INPUT),
        (r"is .*, expected [\[({]", "an array for each one of input's, in its shape"),
        ("trembles.*called before", REMEMBERED),
        (r"gradInput is \w+\.$", "an array, as input is"),
        ("trembles", IN_ITS_DTYPE),
    ],
    "gradParameters": [
        ("trembles.*called before", REMEMBERED),
        ("floating numbers", "np.ones(3), np.array([1.0, 2.0]): a point makes floating numbers"),
        ("has the", LIKE_PARAMETER),
        ("trembles", IN_ITS_DTYPE),
    ],
    "integers": [
        ("zeros of their dtype", "np.zeros_like(input)"),
        ("", "do not read the gradOutput of integers and booleans: it may be anything"),
    ],
    "accumulate": [("", "self.gradWeight += scale * ...: +=, for every gradient")],
    "scale": [
        ("gradient of the input", "scale is a factor in accGradParameters, and nowhere else"),
        (
            "backward:",
            "leave backward to nn.Module, or pass it on: self.accGradParameters(input, gradOutput, "
            "scale)",
        ),
        ("", "self.gradWeight += scale * ...: a factor of all that is added, once"),
    ],
    "linear": [
        (
            "",
            "gradOutput is a factor of every term, once: no abs, sign, clip or square of it, and "
            "no term without it",
        ),
    ],
    "flat": [
        ("new parameters", EACH_TIME),
        ("", "leave getParameters to nn.Module, and use the arrays that parameters() returns"),
    ],
    "dtype": [
        ("float32.* raises", "take float32, too: after net.float() all is of it"),
        ("it makes complex", "take the real part: .real"),
        ("is 0 in it", "add what float32 has, too: np.finfo(input.dtype).tiny, or 1e-12"),
        (
            "after a call with the same",
            "what is kept belongs to one dtype, too: compare it, or let it be a part of the key",
        ),
        (
            "overflows on the way",
            "np.exp(x - x.max(axis=-1, keepdims=True)) in a softmax; (1 + np.tanh(x / 2)) / 2 is "
            "the sigmoid, np.logaddexp(0, x) is log(1 + exp(x))",
        ),
        ("it makes", "dtype=input.dtype in the place of dtype=np.float32 and .astype(np.float32)"),
        ("differs from float64", "constants that float32 does not have are lost: 1e-50 is 0 in it"),
    ],
    "digits": [
        (
            "",
            "no difference of numbers that are nearly equal: np.expm1(x), not np.exp(x) - 1; "
            "np.log1p(x), not np.log(1 + x)",
        ),
    ],
    "layout": [
        (
            "given in two places",
            "go by the places: enumerate, not `is`, id(array) or a dictionary of arrays, tells "
            "which one an array is",
        ),
        (
            "",
            "index and reshape: order='K', strides, .data and as_strided read the memory, in which "
            "numbers may lie otherwise",
        ),
    ],
    "empty": [
        ("it gives", "take sizes from settings and input.shape[1:], the first from len(input)"),
        ("changes", "add nothing that does not come of a sample: a sum over none is 0"),
        ("NaN in training", "leave running statistics as they are if len(input) is 0"),
        ("raises", "of no samples there is nothing to do: return empty arrays, by their shapes"),
    ],
    "batch": [
        ("raises", "take sizes from the input of each call, as len(input), and from settings"),
        ("without batch dimension", "compute with input[None], and return the first row"),
        (
            "samples mix",
            "the first axis is the samples': take means, sums and maxima along others, as in "
            ".max(axis=1, keepdims=True)",
        ),
        ("alone is not", "what a sample gets depends on its own input and gradOutput"),
        ("sum over its samples", "add up all samples, .sum(axis=0), and divide by no number"),
    ],
    "twice": [
        ("raises", "a backward may come twice: read what the forward kept, and leave it there"),
        (
            "",
            "a call must not depend on those before it: make in updateOutput anew what it keeps "
            "of a call, and take nothing out of it in backward",
        ),
    ],
    "interleave": [
        ("mask, or noise", "draw anew in every updateOutput, and keep what was drawn last"),
        (
            "",
            "compute again, from input, what it takes of the last forward (self.output, a mask); "
            "or raise torchlite.errors.StateError unless np.array_equal(input, the input of that)",
        ),
    ],
    "accUpdate": [
        ("", "leave it to nn.Module: it subtracts lr times what this call adds to gradients of 0"),
    ],
    "sharing": [("", "leave share, clone and updateParameters to nn.Module")],
    "none": [("", "leave backward to nn.Module: it looks whether gradInput is None")],
    "exceptions": [("", "look at all arguments first, and set attributes after that")],
    "duck": [
        (
            "",
            "use operators, and NumPy's functions, of the arrays that are given: no np.asarray, "
            "np.array(input), float(input)",
        ),
    ],
    "maths": [
        ("raises", "it is run with the names of the layer's attributes and arguments, and np"),
        ("another", "mend the docstring, or the code: they say different things"),
    ],
    "container": [("", "leave updateOutput and backward's two calls to the container's class")],
    "broadcast": [
        (
            "",
            "in both methods: if input.shape != target.shape: raise torchlite.errors.ShapeError("
            'f"input {input.shape}, target {target.shape}")',
        ),
    ],
}

# Properties whose hint for everything is also that for an error.
OF_ERRORS_TOO = {"integers", "interleave", "layout"}

# By what an error says.
ERRORS = [
    (
        "cannot reshape array of size 0",
        "-1 can be anything where there are no samples: write the size out, "
        "input.reshape(len(input), math.prod(input.shape[1:]))",
    ),
    (
        "zero-size array to reduction operation",
        "of no numbers there is no largest: take it of each sample, .max(axis=1), or with "
        "initial=-np.inf",
    ),
    (
        "at least one array to (concatenate|stack)",
        "without samples there is nothing to stack: make the array first, np.empty((len(input), n),"
        " input.dtype), and fill its rows; or compute all samples at once",
    ),
    (
        "out of bounds for axis 0 with size 0|list index out of range",
        "without samples there is no first or last one: take sizes from input.shape",
    ),
    (
        "(divide by zero|invalid value|division by zero)",
        "the number of samples may be 0: divide by max(len(input), 1)",
    ),
]
RAISED = [
    (
        "^(updateGradInput|accGradParameters): .*(matmul|not aligned|broadcast|reshape)",
        "gradOutput has the shape of the output, gradInput that of input, and a gradient that of "
        "its parameter: is an operand transposed?",
    ),
]
# What in a layer's code may lose NaN, and what to write.
SAYS_SO = 'exempt = {"nan": "why"} in the class'
LOSING_NAN = [
    (
        {"nan_to_num", "nanmax", "nanmean", "nanmin", "nansum", "isnan", "fmax", "fmin"},
        "let NaN through: np.maximum, .sum() and .mean() keep it, np.fmax, np.nansum, np.nanmean "
        "and np.nan_to_num do not",
    ),
    (
        {"sort", "argsort", "partition", "argpartition", "searchsorted", "lexsort"},
        f"NumPy sorts NaN behind all numbers; if that is to be so: {SAYS_SO}",
    ),
]
COMPARED = (
    "a comparison with NaN is False: np.maximum(x, 0), or np.where(x <= 0, 0, x), keeps NaN where "
    f"np.where(x > 0, x, 0) loses it; if it is to be lost: {SAYS_SO}"
)


def hint_of(layer: Any, method: str, property: str, problem: str) -> str | None:
    """Return what to write instead of what has this problem, or None."""
    if property == "nan":
        used = words(layer).keys()
        return next((hint for names, hint in LOSING_NAN if names & used), COMPARED)
    said = f"{method}: {problem}"
    known, too = HINTS.get(property, []), property in OF_ERRORS_TOO
    if re.search("it (|cannot be checked: the check )raises", said):
        # The error tells, but for what it is.
        known = [*RAISED, *(row for row in known if "raises" in row[0] or (too and not row[0]))]
    elif property == "empty":
        known = [*ERRORS, *known]
    hint = next((hint for phrase, hint in known if re.search(phrase, said)), None)
    argument = re.search(r"it changed (?:its )?(\w+)", said)
    return hint and hint.replace("{name}", argument[1] if argument else "input")
