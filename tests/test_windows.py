"""Convolution, pooling and resampling: the kernels against the explicit sums that define them."""

import inspect
import re
import textwrap
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import torchlite
from torchlite.kernels import (
    convolution,
    depthwise,
    local,
    mapped,
    maxima,
    means,
    resampling,
    windows,
)
from torchlite.kernels.convolution import conv, conv_transposed, conv_weight
from torchlite.kernels.windows import (
    adaptive_windows,
    full_size,
    inner_taps,
    middle,
    pooled_size,
    taps,
    window_view,
    windowed_size,
)
from torchlite.testing.duck import Duck

# Blocks of one row and less, of several samples, and of everything.
BLOCKS = [1, 600, 1 << 20]
DTYPES = ["float32", "float64", "complex64", "complex128"]


def whole(rng, *shape):
    """Return small whole numbers, of which every sum is exact in every order."""
    return rng.integers(-4, 5, shape).astype(float)


@st.composite
def geometries(draw):
    """Draw kernel, stride, padding, dilation and a size in which at least one window fits."""
    dims = draw(st.integers(1, 3))

    def each(least, most):
        return tuple(draw(st.lists(st.integers(least, most), min_size=dims, max_size=dims)))

    kernel, stride, dilation, padding = each(1, 3), each(1, 3), each(1, 2), each(0, 2)
    spare = each(0, 4)
    size = tuple(
        max(1, d * (k - 1) + 1 - 2 * p) + more
        for d, k, p, more in zip(dilation, kernel, padding, spare, strict=True)
    )
    return size, kernel, stride, padding, dilation


def laid_out(array, way):
    """Return the numbers of an array in another layout of memory, or read-only."""
    if way == "F":
        return np.asfortranarray(array)
    if way == "strided":
        return np.repeat(array, 2, -1)[..., ::2]
    if way == "planes last":
        return np.moveaxis(np.moveaxis(array, 1, -1).copy(), -1, 1)
    array = array.copy()
    array.flags.writeable = False
    return array


# ---------------------------------------------------------------- what the docstrings say


def definition(function):
    """Return the code in a kernel's docstring."""
    code = re.search(r"In one dimension.*?::\n\n(.*?)\n *\n(?=\S|$)", function_doc(function), re.S)
    assert code, f"{function.__name__} has no definition"
    return textwrap.dedent(code[1])


def function_doc(function):
    return inspect.cleandoc(function.__doc__) + "\n\n"


def defined(function, name, **given):
    """Run the code in a kernel's docstring; return what it calls `name`."""
    space = {"np": np, **given}
    with np.errstate(all="ignore"):
        exec(definition(function), space)
    return space[name]


def names_of(N=2, C=3, M=2, K=3, size=8, s=2, p=1, d=1):
    O = (size + 2 * p - d * (K - 1) - 1) // s + 1  # noqa: E741
    return {"N": N, "C": C, "M": M, "K": K, "size": size, "s": s, "p": p, "d": d, "O": O}


@pytest.mark.parametrize("setting", [{}, {"s": 1, "d": 2}, {"s": 3, "p": 0, "K": 2}, {"C": 1}])
def test_convolution_is_what_it_says(setting):
    rng, names = np.random.default_rng(0), names_of(**setting)
    N, C, M, K, O = (names[key] for key in "NCMKO")  # noqa: E741
    names |= {"input": whole(rng, N, C, names["size"]), "gradient": whole(rng, N, M, O)}
    names |= {"weight": whole(rng, M, C, K), "bias": whole(rng, M)}
    x, weight, gradOutput, bias = (names[k] for k in ("input", "weight", "gradient", "bias"))
    s, p, d = ((names[key],) for key in "spd")
    expected = defined(conv, "output", **names)
    assert np.array_equal(conv(x, weight, s, p, d, bias), expected)
    back = whole(rng, C)
    expected = defined(conv_transposed, "gradInput", **names | {"bias": back})
    got = conv_transposed(gradOutput, weight, (names["size"],), s, p, d, bias=back)
    assert np.array_equal(got, expected)
    expected = defined(conv_weight, "gradWeight", **names)
    assert np.array_equal(conv_weight(x, gradOutput, (K,), s, p, d), expected)


@pytest.mark.parametrize("setting", [{}, {"s": 1}, {"s": 3, "p": 0, "K": 2}, {"C": 1}])
def test_convolution_by_windows_and_by_connections_is_what_it_says(setting):
    rng, names = np.random.default_rng(0), names_of(**setting)
    N, C, M, K, O, size = (names[key] for key in ("N", "C", "M", "K", "O", "size"))  # noqa: E741
    s, p, n = ((names[key],) for key in ("s", "p", "size"))
    x, gradOutput, weight = whole(rng, N, C, size), whole(rng, N, M, O), whole(rng, O, M, C, K)
    names |= {"input": x, "gradient": gradOutput, "weight": weight}
    expected = defined(local.local_conv, "output", **names)
    assert np.array_equal(local.local_conv(x, weight, s, p), expected)
    expected = defined(local.local_conv_transposed, "gradInput", **names)
    got = local.local_conv_transposed(gradOutput, weight, n, s, p)
    assert np.array_equal(got, expected)
    expected = defined(local.local_conv_weight, "gradWeight", **names)
    assert np.array_equal(local.local_conv_weight(x, gradOutput, (K,), s, p), expected)
    # One plane of the output is not connected, and two of the others twice.
    table = np.array([[0, 0], [C - 1, 2], [0, 0], [0, 2]])
    O = (size - K) // names["s"] + 1  # noqa: E741
    gradOutput, weight = whole(rng, N, 3, O), whole(rng, 4, K)
    names |= {"gradient": gradOutput, "weight": weight, "table": table, "O": O}
    expected = defined(mapped.mapped_conv, "output", **names | {"planes": 3})
    assert np.array_equal(mapped.mapped_conv(x, weight, table, 3, s), expected)
    expected = defined(mapped.mapped_conv_transposed, "gradInput", **names | {"planes": C})
    got = mapped.mapped_conv_transposed(gradOutput, weight, table, C, n, s)
    assert np.array_equal(got, expected)
    expected = defined(mapped.mapped_conv_weight, "gradWeight", **names)
    assert np.array_equal(mapped.mapped_conv_weight(x, gradOutput, table, (K,), s), expected)


@pytest.mark.parametrize("pads", [True, False])
@pytest.mark.parametrize("setting", [{}, {"s": 1, "p": 0, "K": 1}, {"s": 3, "K": 2, "p": 1}])
def test_pooling_is_what_it_says(setting, pads):
    rng, names = np.random.default_rng(0), names_of(**setting)
    N, C, _K, O, size = (names[key] for key in ("N", "C", "K", "O", "size"))  # noqa: E741
    s, p, d, k, n = ((names[key],) for key in ("s", "p", "d", "K", "size"))
    x, gradOutput = whole(rng, N, C, size), 12 * whole(rng, N, C, O)
    names |= {"input": x, "gradient": gradOutput, "pads": pads}
    output, indices = maxima.max_windows(x, k, s, p, d, (O,))
    assert np.array_equal(output, defined(maxima.max_windows, "output", **names))
    assert np.array_equal(indices, defined(maxima.max_windows, "indices", **names))
    names["indices"] = indices
    assert np.array_equal(maxima.gather(x, indices, 1), output)
    assert np.array_equal(defined(maxima.gather, "output", **names), output)
    expected = defined(maxima.scatter, "gradInput", **names)
    assert np.array_equal(maxima.scatter(gradOutput, indices, n), expected)
    expected = defined(means.sum_windows, "output", **names)
    assert np.array_equal(means.sum_windows(x, k, s, p, (O,)), expected)
    expected = defined(means.sum_windows_back, "gradInput", **names)
    assert np.array_equal(means.sum_windows_back(gradOutput, n, k, s, p), expected)
    expected = defined(means.mean_windows, "output", **names)
    np.testing.assert_allclose(means.mean_windows(x, k, s, p, (O,), pads), expected, atol=1e-13)
    expected = defined(means.mean_windows_back, "gradInput", **names)
    np.testing.assert_allclose(
        means.mean_windows_back(gradOutput, n, k, s, p, pads), expected, atol=1e-13
    )


@pytest.mark.parametrize("size", [1, 2, 5, 8])
@pytest.mark.parametrize("count", [1, 3, 4, 7])
def test_adaptive_pooling_and_linear_upsampling_are_what_they_say(size, count):
    rng, names = np.random.default_rng(0), names_of()
    x, gradOutput = whole(rng, 2, 3, size), 12 * whole(rng, 2, 3, count)
    names |= {"input": x, "gradient": gradOutput, "size": size, "O": count}
    for forward, back in (
        (means.adaptive_means, means.adaptive_means_back),
        (resampling.upsample_linear, resampling.upsample_linear_back),
    ):
        np.testing.assert_allclose(
            forward(x, (count,)), defined(forward, "output", **names), atol=1e-13
        )
        expected = defined(back, "gradInput", **names)
        np.testing.assert_allclose(back(gradOutput, (size,)), expected, atol=1e-13)
    places = maxima.adaptive_places((size,), (count,))
    output, indices = maxima.max_at(x, places, 1)
    names["places"] = places
    assert np.array_equal(output, defined(maxima.max_at, "output", **names))
    assert np.array_equal(indices, defined(maxima.max_at, "indices", **names))


@pytest.mark.parametrize("pads", [(0, 0), (2, 1), (3, 0), (-1, 2), (2, -3), (-1, -1)])
def test_borders_are_what_they_say(pads):
    rng, names = np.random.default_rng(0), names_of()
    x, gradOutput = whole(rng, 2, 3, 4), whole(rng, 2, 3, 4 + sum(pads))
    names |= {"input": x, "gradient": gradOutput, "size": 4, "before": pads[0], "behind": pads[1]}
    for places in (resampling.reflected, resampling.replicated):
        names["places"] = places
        expected = defined(resampling.take_border, "output", **names)
        assert np.array_equal(resampling.take_border(x, [pads], places), expected)
        expected = defined(resampling.take_border_back, "gradInput", **names)
        got = resampling.take_border_back(gradOutput, (4,), [pads], places)
        assert np.array_equal(got, expected)


@pytest.mark.parametrize("s", [1, 2, 3])
def test_nearest_upsampling_is_what_it_says(s):
    rng = np.random.default_rng(0)
    x, gradOutput = whole(rng, 2, 3, 4), whole(rng, 2, 3, 4 * s)
    names = names_of() | {"input": x, "gradient": gradOutput, "size": 4, "s": s, "O": 4 * s}
    expected = defined(resampling.upsample_nearest, "output", **names)
    assert np.array_equal(resampling.upsample_nearest(x, (s,)), expected)
    expected = defined(resampling.upsample_nearest_back, "gradInput", **names)
    assert np.array_equal(resampling.upsample_nearest_back(gradOutput, (s,)), expected)


# ---------------------------------------------------------------- convolution


def explicit(x, weight, gradOutput, stride, padding, dilation, groups):
    """Return output, gradInput and gradWeight, product by product."""
    n = len(x)
    m, each, *kernel = weight.shape
    kind = np.result_type(x, weight, gradOutput)
    padded = np.pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)))
    output, gradWeight = np.zeros(gradOutput.shape, kind), np.zeros(weight.shape, kind)
    gradPadded = np.zeros(padded.shape, kind)
    places = np.ndindex(n, m, each, *gradOutput.shape[2:], *kernel)
    for sample, to, channel, *rest in places:
        o, k = rest[: len(kernel)], rest[len(kernel) :]
        of = to // (m // groups) * each + channel
        at = [s * i + d * j for s, i, d, j in zip(stride, o, dilation, k, strict=True)]
        entry, tap, made = (sample, of, *at), (to, channel, *k), (sample, to, *o)
        output[made] += weight[tap] * padded[entry]
        gradPadded[entry] += weight[tap] * gradOutput[made]
        gradWeight[tap] += gradOutput[made] * padded[entry]
    inner = tuple(slice(p, p + size) for p, size in zip(padding, x.shape[2:], strict=True))
    return output, gradPadded[(..., *inner)], gradWeight


@given(
    geometries(),
    st.integers(0, 2),
    st.integers(1, 3),
    st.integers(1, 2),
    st.integers(1, 2),
    st.sampled_from(BLOCKS),
    st.sampled_from([1, 64]),
    st.sampled_from(["F", "strided", "read-only", "planes last"]),
)
def test_convolution_against_explicit_sums(geometry, n, groups, each, made, block, few, way):
    size, kernel, stride, padding, dilation = geometry
    rng = np.random.default_rng(0)
    x = whole(rng, n, groups * each, *size)
    weight = whole(rng, groups * made, each, *kernel)
    out = windowed_size(size, kernel, stride, padding, dilation)
    gradOutput, bias = whole(rng, n, groups * made, *out), whole(rng, groups * made)
    expected = explicit(x, weight, gradOutput, stride, padding, dilation, groups)
    x, weight, gradOutput = (laid_out(array, way) for array in (x, weight, gradOutput))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convolution, "_BLOCK", block)
        # Columns in layers, as those of larger images are.
        patch.setattr(convolution, "_FEW", few)
        output = conv(x, weight, stride, padding, dilation, bias)
        plain = conv(x, weight, stride, padding, dilation)
        gradInput = conv_transposed(gradOutput, weight, size, stride, padding, dilation, groups)
        scattered = convolution._scattered(
            gradOutput, weight, size, stride, padding, dilation, groups, None
        )
        gradWeight = conv_weight(x, gradOutput, kernel, stride, padding, dilation, groups)
    column = bias.reshape(-1, *(1,) * len(size))
    for got, wanted in (
        (output, expected[0] + column),
        (plain, expected[0]),
        (gradInput, expected[1]),
        (scattered, expected[1]),
        (gradWeight, expected[2]),
    ):
        assert got.shape == wanted.shape
        assert np.array_equal(got, wanted)


@given(
    geometries(),
    st.integers(0, 2),
    st.integers(2, 3),
    st.sampled_from(BLOCKS),
    st.sampled_from([1, 20, 4096]),
    st.sampled_from(["F", "strided", "read-only"]),
)
def test_planes_by_themselves_against_explicit_sums(geometry, n, planes, block, long, way):
    size, kernel, _, padding, dilation = geometry
    one = (1,) * len(size)
    rng = np.random.default_rng(0)
    x, weight, bias = (
        whole(rng, *s) for s in ((n, planes, *size), (planes, 1, *kernel), (planes,))
    )
    out = windowed_size(size, kernel, one, padding, dilation)
    gradOutput = whole(rng, n, planes, *out)
    expected = explicit(x, weight, gradOutput, one, padding, dilation, planes)
    x, weight, gradOutput = (laid_out(array, way) for array in (x, weight, gradOutput))
    assert depthwise.is_depthwise(x, weight.shape, one, out)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(depthwise, "_BLOCK", block)
        patch.setattr(depthwise, "_READ_OFTEN", block)
        patch.setattr(depthwise, "DOT", long)
        output = conv(x, weight, one, padding, dilation, bias)
        plain = conv(x, weight, one, padding, dilation)
        gradInput = conv_transposed(gradOutput, weight, size, one, padding, dilation, planes)
        gradWeight = conv_weight(x, gradOutput, kernel, one, padding, dilation, planes)
    assert np.array_equal(output, expected[0] + bias.reshape(-1, *one))
    assert np.array_equal(plain, expected[0])
    assert np.array_equal(gradInput, expected[1])
    assert np.array_equal(gradWeight, expected[2])


@given(
    geometries(),
    st.integers(0, 2),
    st.sampled_from(BLOCKS),
    st.sampled_from(["F", "strided", "read-only"]),
)
def test_windows_next_to_one_another_against_explicit_sums(geometry, n, block, way):
    (*size, width), kernel, _, padding, dilation = geometry
    size, one = (*size, width + 6), (1,) * len(kernel)
    rng = np.random.default_rng(0)
    x, weight, bias = whole(rng, n, 2, *size), whole(rng, 3, 2, *kernel), whole(rng, 3)
    gradOutput = whole(rng, n, 3, *windowed_size(size, kernel, one, padding, dilation))
    expected = explicit(x, weight, gradOutput, one, padding, dilation, 1)
    x, weight, gradOutput = (laid_out(array, way) for array in (x, weight, gradOutput))
    with pytest.MonkeyPatch.context() as patch:
        # Nothing stands in layers.
        patch.setattr(convolution, "_LIGHT", 0)
        patch.setattr(convolution, "_WIDE", block)
        output = conv(x, weight, one, padding, dilation, bias)
        gradInput = conv_transposed(gradOutput, weight, size, one, padding, dilation)
    assert np.array_equal(output, expected[0] + bias.reshape(-1, *one))
    assert np.array_equal(gradInput, expected[1])


@given(geometries(), st.integers(0, 2), st.sampled_from(["F", "strided", "read-only"]))
def test_convolution_by_windows_and_by_connections_against_convolution(geometry, n, way):
    size, kernel, stride, padding, _ = geometry
    if min(windowed_size(size, kernel, stride, padding, (1,) * len(size))) < 1:
        return
    rng = np.random.default_rng(0)
    x, weight = laid_out(whole(rng, n, 2, *size), way), laid_out(whole(rng, 3, 2, *kernel), way)
    output = conv(x, weight, stride, padding)
    gradOutput = laid_out(whole(rng, *output.shape), way)
    gradWeight = conv_weight(x, gradOutput, kernel, stride, padding)
    gradInput = conv_transposed(gradOutput, weight, size, stride, padding)
    each = np.broadcast_to(weight, (*output.shape[2:], *weight.shape))
    assert np.array_equal(local.local_conv(x, each, stride, padding), output)
    got = local.local_conv_transposed(gradOutput, each, size, stride, padding)
    assert np.array_equal(got, gradInput)
    got = local.local_conv_weight(x, gradOutput, kernel, stride, padding)
    assert np.array_equal(got.sum(tuple(range(len(size)))), gradWeight)
    # Connections have no padding.
    padded = resampling.crop_or_pad(x, [(p, p) for p in padding])
    table = np.array([[c, m] for m in range(3) for c in range(2)])
    rows = weight.reshape(6, *kernel)
    assert np.array_equal(mapped.mapped_conv(padded, rows, table, 3, stride), output)
    got = mapped.mapped_conv_transposed(gradOutput, rows, table, 2, padded.shape[2:], stride)
    assert np.array_equal(resampling.crop_or_pad(got, [(-p, -p) for p in padding]), gradInput)
    got = mapped.mapped_conv_weight(padded, gradOutput, table, kernel, stride)
    assert np.array_equal(got.reshape(gradWeight.shape), gradWeight)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("stride", [1, 2])
def test_convolution_keeps_the_dtype(dtype, stride):
    rng = np.random.default_rng(0)
    x, weight = whole(rng, 2, 3, 5, 4), whole(rng, 2, 3, 2, 3)
    if dtype[0] == "c":
        x, weight = x + 1j * whole(rng, *x.shape), weight + 1j * whole(rng, *weight.shape)
    x, weight = x.astype(dtype), weight.astype(dtype)
    steps, pads = (stride, stride), (1, 0)
    output = conv(x, weight, steps, pads)
    gradOutput = (output / 2).round()
    got = (
        output,
        conv_transposed(gradOutput, weight, (5, 4), steps, pads),
        conv_weight(x, gradOutput, (2, 3), steps, pads),
    )
    for array, wanted in zip(
        got, explicit(x, weight, gradOutput, steps, pads, (1, 1), 1), strict=True
    ):
        assert array.dtype == dtype
        assert np.array_equal(array, wanted)


def test_complex_input_of_a_real_weight():
    rng = np.random.default_rng(0)
    x, weight = whole(rng, 2, 3, 5) + 1j * whole(rng, 2, 3, 5), whole(rng, 4, 3, 2)
    output = conv(x, weight, (2,), (1,))
    assert np.array_equal(output.real, conv(x.real, weight, (2,), (1,)))
    assert np.array_equal(output.imag, conv(x.imag, weight, (2,), (1,)))
    back = conv_transposed(output, weight, (5,), (2,), (1,))
    assert np.array_equal(back.imag, conv_transposed(output.imag, weight, (5,), (2,), (1,)))
    gradWeight = conv_weight(x, output.real, (2,), (2,), (1,))
    assert np.array_equal(gradWeight.imag, conv_weight(x.imag, output.real, (2,), (2,), (1,)))


@pytest.mark.parametrize("kernel", [(1, 1), (3, 2)])
def test_one_sample_is_a_row(kernel):
    rng = np.random.default_rng(0)
    x, weight, bias = whole(rng, 2, 3, 9, 9), whole(rng, 4, 3, *kernel), whole(rng, 4)
    batch = conv(x, weight, (1, 1), (0, 0), None, bias)
    assert np.array_equal(conv(x[1], weight, (1, 1), (0, 0), None, bias), batch[1])
    back = conv_transposed(batch, weight, (9, 9), (1, 1), (0, 0))
    assert np.array_equal(conv_transposed(batch[1], weight, (9, 9), (1, 1), (0, 0)), back[1])
    each = [conv_weight(a, b, kernel, (1, 1), (0, 0)) for a, b in zip(x, batch, strict=True)]
    assert np.array_equal(conv_weight(x, batch, kernel, (1, 1), (0, 0)), sum(each))


def test_windows_of_other_arrays():
    rng = np.random.default_rng(0)
    x, weight = whole(rng, 2, 3, 5, 4), whole(rng, 2, 3, 2, 3)
    for steps in ((1, 1), (2, 1)):
        output = conv(x, weight, steps, (1, 1))
        a, w, g = map(Duck, (x, weight, output))
        assert np.array_equal(conv(a, w, steps, (1, 1)).held, output)
        got = conv_transposed(g, w, (5, 4), steps, (1, 1))
        assert np.array_equal(got.held, conv_transposed(output, weight, (5, 4), steps, (1, 1)))
        got = conv_weight(a, g, (2, 3), steps, (1, 1))
        assert np.array_equal(got.held, conv_weight(x, output, (2, 3), steps, (1, 1)))


def test_nan_and_infinity_stay_in_their_windows():
    x = np.zeros((1, 1, 7))
    x[..., 3] = np.nan
    weight = np.ones((1, 1, 3))
    assert np.isnan(conv(x, weight, (1,), (1,))[0, 0]).tolist() == [0, 0, 1, 1, 1, 0, 0]
    got = conv_transposed(x, weight, (7,), (1,), (1,))
    assert np.isnan(got[0, 0]).tolist() == [0, 0, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_stay_in_the_windows_of_their_plane(bad):
    x = np.ones((2, 3, 4, 4))
    x[0, 1, 1, 3] = bad
    output = conv(x, np.ones((3, 1, 3, 3)), (1, 1), (0, 0))
    assert np.isfinite(output).sum() == output.size - 2
    assert np.array_equal(output[0, 1, :, 1], [bad, bad], equal_nan=True)
    g = np.arange(24.0).reshape(2, 3, 2, 2)
    got = conv_weight(x, g, (3, 3), (1, 1), (0, 0), None, 3)
    # Only the last entries of two rows of the kernel ever see it.
    sees = np.zeros((3, 1, 3, 3), bool)
    sees[1, 0, :2, 2] = True
    assert np.array_equal(~np.isfinite(got), sees)


@pytest.mark.parametrize("each", [1, 32])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_only_windows_that_there_are_are_warned_of(each, dtype):
    huge, ones = 0.7 * np.finfo(dtype).max, np.ones((32, each, 3, 3), dtype)
    row = ones.copy()
    row[:, :, ::2] = 0
    for weight, first, last in ((ones, np.inf, -np.inf), (row, huge, huge)):
        x = np.zeros((2, 32, 8, 16), dtype)
        x[:, 0, :, 0], x[:, 0, :, -1] = first, last
        with np.errstate(all="raise"):
            output = conv(x, weight, (1, 1), (0, 0))
        assert not np.isnan(output).any()
    x[0, 0, 4, 1] = huge
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        conv(x, row, (1, 1), (0, 0))
    with pytest.warns(RuntimeWarning, match="overflow"):
        assert np.isinf(conv(x, row, (1, 1), (0, 0))).any()


def test_the_bias_of_planes_by_themselves_is_not_cut():
    x, weight = np.ones((1, 3, 4, 4)), np.ones((3, 1, 3, 3))
    with pytest.raises(TypeError, match="complex"):
        conv(x, weight, (1, 1), (0, 0), bias=1j * np.ones(3))


@pytest.mark.parametrize("size", [(2_000_000,), (2, 1_000_000)])
def test_the_weight_gradient_of_many_positions_of_planes_is_accurate(size):
    x, g = np.full((1, 2, *size), 0.1, np.float32), np.ones((1, 2, *size), np.float32)
    one, none = (1,) * len(size), (0,) * len(size)
    got = conv_weight(x, g, one, one, none, None, 2)
    np.testing.assert_allclose(got, 2e6 * np.float64(np.float32(0.1)), rtol=2e-6)


def test_the_weight_gradient_of_many_positions_is_accurate():
    x = np.full((2, 1, 2_000_000), 0.1, np.float32)
    got = conv_weight(x, np.ones((2, 1, 2_000_000), np.float32), (1,), (1,), (0,))
    np.testing.assert_allclose(got, 4e6 * np.float64(np.float32(0.1)), rtol=2e-6)


@pytest.mark.parametrize(
    ("shape", "planes", "kernel", "stride", "dilation", "plan"),
    [
        ((64, 1, 28, 28), 20, (5, 5), 1, 1, (64, 24, True)),
        ((8, 3, 117, 117), 64, (7, 7), 2, 1, (1, 56, True)),
        ((8, 8, 18, 18, 18), 16, (3, 3, 3), 1, 1, (1, 16, True)),
        # What stands in layers has to overlap, in neighbouring layers.
        ((64, 1, 28, 28), 20, (1, 5), 1, 1, (64, 28, False)),
        ((64, 1, 28, 28), 20, (5, 5), 1, 2, (22, 20, False)),
        # Too few positions, and a product so large that copying hardly counts.
        ((1, 16, 18, 18), 16, (3, 3), 1, 1, (1, 16, False)),
        ((2, 128, 18, 18), 128, (3, 3), 1, 1, (1, 8, False)),
    ],
)
def test_windows_that_overlap_share_layers(shape, planes, kernel, stride, dilation, plan):
    x, dims = np.zeros(shape, np.float32), len(kernel)
    steps, spread = (stride,) * dims, (dilation,) * dims
    out = windowed_size(shape[2:], kernel, steps, (0,) * dims, spread)
    got = convolution._Plan.of(x, kernel, steps, spread, out, 1, planes, alone=True)
    assert got == plan


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "before", "width"),
    [
        ((32, 32), (3, 3), 1, (1, 1), 33),
        # As far as padding goes, the end of a row is the beginning of the next.
        ((30, 30), (3, 3), 1, (2, 2), 32),
        ((32, 32), (3, 3), 1, (0, 0), 32),
        ((8, 32, 32), (3, 3, 5), 1, (1, 1, 2), 34),
        # It would be too much, or there is nothing next to one another.
        ((12, 12), (5, 5), 1, (0, 0), None),
        ((32, 32), (3, 3), 2, (1, 1), None),
        ((32,), (3,), 1, (1,), None),
    ],
)
def test_rows_are_copied_with_what_is_between_them(size, kernel, stride, before, width):
    x, one = np.zeros((2, 64, *size), np.float32), (1,) * len(size)
    steps = (stride,) * len(size)
    out = windowed_size(size, kernel, steps, before, one)
    found = convolution._Windows(x, kernel, steps, before, one, out, 1, False)
    assert found.widened() == (width is not None)
    assert found.width == (width or out[-1])


def test_the_gradient_of_an_enlarged_pixel_is_accurate():
    g = np.full((1, 1, 200_000), 0.1, np.float32)
    got = resampling.upsample_linear_back(g, (1,))
    np.testing.assert_allclose(got, 2e5 * np.float64(np.float32(0.1)), rtol=2e-6)
    assert got.dtype == np.float32


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_window_of_the_whole_image_is_its_sum(dtype):
    rng = np.random.default_rng(0)
    x, gradOutput = whole(rng, 2, 3, 4, 5).astype(dtype), whole(rng, 2, 3, 1, 1).astype(dtype)
    for kernel, padding in (((4, 5), (0, 0)), ((6, 7), (2, 2)), ((6, 6), (2, 1))):
        output = means.sum_windows(x, kernel, (9, 9), padding, (1, 1))
        assert output.dtype == dtype
        assert np.array_equal(output, x.sum((2, 3), keepdims=True))
        back = means.sum_windows_back(gradOutput, (4, 5), kernel, (9, 9), padding)
        assert np.array_equal(back, np.broadcast_to(gradOutput, x.shape))
        assert back.flags.writeable
    # Nearly: a row is outside.
    output = means.sum_windows(x, (5, 7), (9, 9), (2, 2), (1, 1))
    assert np.array_equal(output, x[:, :, :3].sum((2, 3), keepdims=True))
    back = means.sum_windows_back(gradOutput, (4, 5), (5, 7), (9, 9), (2, 2))
    assert not back[:, :, 3].any()
    assert np.array_equal(means.adaptive_means(x, (1, 1)), x.sum((2, 3), keepdims=True) / 20)


@pytest.mark.parametrize(
    ("way", "kernel", "padding", "planes", "turned"),
    [
        ("planes last", (5,), (0,), 128, True),
        ("planes last", (3, 3), (0, 0), 128, True),
        # They are copied into their padding first, share layers, or lie elsewhere.
        ("planes last", (5,), (1,), 128, False),
        ("planes last", (3, 3), (0, 0), 8, False),
        ("read-only", (5,), (0,), 128, False),
    ],
)
def test_windows_of_frames_are_copied_as_they_lie(way, kernel, padding, planes, turned):
    rng, one = np.random.default_rng(0), (1,) * len(kernel)
    x = laid_out(whole(rng, 4, 64, *(16,) * len(kernel)), way)
    out = windowed_size(x.shape[2:], kernel, one, padding, one)
    g = laid_out(whole(rng, 4, planes, *out), way)
    layered = convolution._Plan.of(x, kernel, one, one, out, 1, planes, alone=False).layered
    windows = convolution._Windows(x, kernel, one, padding, one, out, 1, layered)
    assert windows.turned() == turned
    samples = slice(0, 4)
    columns = windows.columns((samples, slice(0, out[0])), convolution._Memory(x, x.dtype, x.dtype))
    assert (columns.strides[-2] == x.itemsize) == turned
    got = conv_weight(x, g, kernel, one, padding)
    assert np.array_equal(got, conv_weight(x.copy("C"), g.copy("C"), kernel, one, padding))


@pytest.mark.parametrize("threads", [1, 2])
def test_columns_take_little_memory(threads, request):
    before = torchlite.threads()
    request.addfinalizer(lambda: torchlite.threads(before))
    torchlite.threads(threads)
    x = np.zeros((8, 16, 64, 64), np.float32)
    weight = np.zeros((16, 16, 5, 5), np.float32)
    for call in (
        lambda: conv(x, weight, (1, 1), (2, 2)),
        lambda: conv_transposed(x, weight, (64, 64), (1, 1), (2, 2)),
        lambda: conv_transposed(x, weight, (128, 128), (2, 2), (2, 2)),
        lambda: conv_weight(x, x, (5, 5), (1, 1), (2, 2)),
    ):
        tracemalloc.start()
        made = call()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        # The columns themselves would take 25 times as much as x, which has 2 MiB.
        assert peak - made.nbytes < 4 * convolution._BLOCK * threads


# ---------------------------------------------------------------- pooling


@given(geometries(), st.booleans(), st.booleans(), st.sampled_from([1, 600, 1 << 20]))
def test_pooling_against_explicit_windows(geometry, ceil, special, block):
    size, kernel, stride, padding, dilation = geometry
    padding = tuple(min(p, k // 2) for p, k in zip(padding, kernel, strict=True))
    out = pooled_size(size, kernel, stride, padding, dilation, ceil)
    rng = np.random.default_rng(0)
    x = whole(rng, 2, 2, *size)
    if special:
        x = np.where(rng.random(x.shape) < 0.3, np.nan, x)
        x = np.where(rng.random(x.shape) < 0.5, -np.inf, x)
    best, indices, sums = (np.zeros((2, 2, *out), kind) for kind in (float, int, float))
    ones = (1,) * len(size)
    plain = pooled_size(size, kernel, stride, padding, ones, ceil)
    sums = np.zeros((2, 2, *plain))
    back, gradSums = np.zeros(x.shape), whole(rng, *sums.shape)
    empty = False

    def entries(o, spread):
        for k in np.ndindex(*kernel):
            each = zip(stride, o, padding, spread, k, strict=True)
            at = tuple(s * i - p + d * j for s, i, p, d, j in each)
            if all(0 <= i < n for i, n in zip(at, size, strict=True)):
                yield at

    for plane in np.ndindex(2, 2):
        for o in np.ndindex(*out):
            inside = list(entries(o, dilation))
            empty |= not inside
            if inside:
                values = [x[plane + at] for at in inside]
                chosen = inside[np.argmax(values)]
                best[plane + o] = x[plane + chosen]
                indices[plane + o] = np.ravel_multi_index(chosen, size)
        for o in np.ndindex(*plain):
            for at in entries(o, ones):
                sums[plane + o] += x[plane + at]
                back[plane + at] += gradSums[plane + o]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "_CACHED", block)
        patch.setattr(maxima, "_AT_ONCE", 3)
        if not empty:
            got = maxima.max_windows(laid_out(x, "F"), kernel, stride, padding, dilation, out)
            assert np.array_equal(got[0], best, equal_nan=True)
            assert np.array_equal(got[1], indices)
        with np.errstate(invalid="ignore"):
            got = means.sum_windows(x, kernel, stride, padding, plain)
        assert np.array_equal(got, sums, equal_nan=True)
        got = means.sum_windows_back(gradSums, size, kernel, stride, padding)
        assert np.array_equal(got, back)


def test_the_first_of_equal_maxima_is_taken_and_the_first_nan():
    x = np.array([[[1.0, 3.0, 3.0], [3.0, 0.0, np.nan], [np.nan, 2.0, 1.0]]])
    output, indices = maxima.max_windows(x, (2, 2), (1, 1), (0, 0), (1, 1), (2, 2))
    assert np.array_equal(output, [[[3, np.nan], [np.nan, np.nan]]], equal_nan=True)
    assert indices.tolist() == [[[1, 5], [6, 5]]]
    none = np.full((1, 1, 2), -np.inf)
    output, indices = maxima.max_windows(none, (1, 2), (1, 1), (0, 1), (1, 1), (1, 3))
    assert indices.tolist() == [[[0, 0, 1]]]
    assert np.array_equal(output, np.full((1, 1, 3), -np.inf))


def test_complex_numbers_are_ordered_by_their_real_parts():
    x = np.array([[1 + 5j, 2 - 1j, 2 + 8j]])
    output, indices = maxima.max_windows(x, (3,), (1,), (0,), (1,), (1,))
    assert (output.tolist(), indices.tolist()) == ([[2 - 1j]], [[1]])
    output, indices = maxima.max_at(x, np.array([[0], [1], [2]]), 1)
    assert (output.tolist(), indices.tolist()) == ([[2 - 1j]], [[1]])
    mean = [[1.5 + 2j, 2 + 3.5j]]
    assert means.adaptive_means(x, (2,)).tolist() == mean
    assert means.mean_windows(x, (2,), (1,), (0,), (2,)).tolist() == mean


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_means_keep_the_precision(dtype):
    x = np.ones((2, 1, 7), dtype)
    for got in (
        means.mean_windows(x, (2,), (2,), (1,), (4,), False),
        means.mean_windows_back(x, (13,), (2,), (2,), (1,), False),
        means.adaptive_means(x, (3,)),
        means.adaptive_means_back(x, (3,)),
        resampling.upsample_linear(x, (12,)),
        resampling.upsample_linear_back(x, (3,)),
    ):
        assert got.dtype == dtype


def test_sums_of_long_windows_are_accurate():
    x = np.full((1, 100_000), 0.1, np.float32)
    total = 1e5 * np.float64(np.float32(0.1))
    np.testing.assert_allclose(means.sum_windows(x, (100_000,), (1,), (0,), (1,)), total, 1e-6)
    np.testing.assert_allclose(means.adaptive_means(x, (1,)), total / 1e5, 1e-6)
    x = whole(np.random.default_rng(0), 2, 300, 2)
    got = means.sum_windows(x, (100, 1), (70, 1), (20, 0), (5, 2))
    padded = np.pad(x, ((0, 0), (20, 100), (0, 0)))
    assert np.array_equal(
        got, np.stack([padded[:, 70 * o : 70 * o + 100].sum(1) for o in range(5)], 1)
    )


def test_distinct_places_need_no_addition():
    values, places = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[2, 0], [1, 2]])
    expected = [[2, 0, 1], [0, 3, 4]]
    assert maxima.scatter(values, places, (3,), distinct=True).tolist() == expected
    assert maxima.scatter(values, places, (3,)).tolist() == expected


@given(geometries(), st.integers(0, 3))
def test_adaptive_windows_of_several_dimensions(geometry, more):
    size, kernel, *_ = geometry
    out = tuple(k + more for k in kernel)
    x = whole(np.random.default_rng(0), 2, 2, *size)
    output, indices = maxima.max_at(x, maxima.adaptive_places(size, out), len(size))
    averages = means.adaptive_means(x, out)
    gradOutput = whole(np.random.default_rng(1), *averages.shape)
    back = np.zeros(x.shape)
    for o in np.ndindex(*out):
        each = zip(o, size, out, strict=True)
        window = tuple(slice(*adaptive_windows(n, m)[i]) for i, n, m in each)
        part = x[(..., *window)].reshape(2, 2, -1)
        assert np.array_equal(output[(..., *o)], part.max(-1))
        np.testing.assert_allclose(averages[(..., *o)], part.mean(-1), atol=1e-15)
        share = gradOutput[(..., *o)] / part.shape[-1]
        back[(..., *window)] += share.reshape(2, 2, *(1,) * len(size))
    assert np.array_equal(maxima.gather(x, indices, len(size)), output)
    np.testing.assert_allclose(means.adaptive_means_back(gradOutput, size), back, atol=1e-14)


def test_fractional_windows():
    samples = np.array([[[0.0, 0.9], [0.5, 0.2]]])
    places = maxima.fractional_places(samples, (5, 7), (2, 3), (2, 2))
    assert places.shape == (4, 1, 2, 2, 3)
    # Of the first plane: rows from 0 and 3, columns from 0, 2 or 3, and 5.
    alpha = 5 / 2
    columns = [0, int(1.9 * alpha) - int(0.9 * alpha), 5]
    assert places[0, 0, 0].tolist() == [columns, [21 + c for c in columns]]
    assert (places[:, 0, 0] - places[0, 0, 0])[:, 0, 0].tolist() == [0, 1, 7, 8]
    x = whole(np.random.default_rng(0), 1, 2, 5, 7)
    output, indices = maxima.max_at(x, places, 2)
    assert output.shape == (1, 2, 2, 3)
    assert output[0, 0, 1, 0] == x[0, 0, 3:5, 0:2].max()
    assert np.array_equal(maxima.gather(x, indices, 2), output)
    one = maxima.fractional_places(samples[..., :1], (4,), (1,), (2,))
    assert one.tolist() == [[[[2], [2]]], [[[3], [3]]]]


def test_pooling_of_other_arrays():
    x = whole(np.random.default_rng(0), 2, 2, 5, 4)
    x[0, 0, 1, 1] = np.nan
    geometry = ((2, 3), (2, 1), (1, 1), (1, 1), (3, 4))
    a = Duck(x)
    output, indices = maxima.max_windows(x, *geometry)
    got = maxima.max_windows(a, *geometry)
    assert np.array_equal(got[0].held, output, equal_nan=True)
    assert np.array_equal(got[1].held, indices)
    g = np.ones(output.shape)
    got = maxima.scatter(Duck(g), Duck(indices), (5, 4))
    assert np.array_equal(got.held, maxima.scatter(g, indices, (5, 4)))
    places = maxima.adaptive_places((5, 4), (2, 3))
    for one, other in (
        (maxima.max_at(a, places, 2)[0], maxima.max_at(x, places, 2)[0]),
        (means.adaptive_means(a, (2, 3)), means.adaptive_means(x, (2, 3))),
        (means.adaptive_means_back(a, (7, 7)), means.adaptive_means_back(x, (7, 7))),
        (
            means.mean_windows(a, (2, 3), (2, 1), (1, 1), (3, 4), False),
            means.mean_windows(x, (2, 3), (2, 1), (1, 1), (3, 4), False),
        ),
        (
            means.mean_windows_back(a, (8, 3), (2, 2), (2, 1), (1, 1), False),
            means.mean_windows_back(x, (8, 3), (2, 2), (2, 1), (1, 1), False),
        ),
    ):
        assert np.array_equal(one.held, other, equal_nan=True)


# ---------------------------------------------------------------- resampling


def test_crop_and_pad_are_the_gradients_of_each_other():
    x = whole(np.random.default_rng(0), 2, 5, 4)
    pads = [(2, -1), (-3, 1)]
    output = resampling.crop_or_pad(x, pads)
    assert np.array_equal(output[:, 2:, :1], x[:, :4, 3:])
    assert not output[:, :2].any()
    assert not output[:, :, 1:].any()
    back = resampling.crop_or_pad(output, [(-a, -b) for a, b in pads])
    assert back.shape == x.shape
    assert np.array_equal(back[:, :4, 3:], x[:, :4, 3:])
    assert np.count_nonzero(back) == np.count_nonzero(x[:, :4, 3:])


@given(geometries())
def test_resampling_in_several_dimensions(geometry):
    """What goes back is the adjoint of what goes forth: with whole numbers, exactly."""
    size, scale, stride, *_ = geometry
    rng = np.random.default_rng(0)
    x = whole(rng, 2, *size)
    pads = [
        (min(k - 1, n - 1), min(s - 1, n - 1)) for k, s, n in zip(scale, stride, size, strict=True)
    ]
    larger = tuple(n + 3 for n in size)
    for forward, back in (
        (
            lambda a: resampling.upsample_nearest(a, scale),
            lambda g: resampling.upsample_nearest_back(g, scale),
        ),
        (
            lambda a: resampling.take_border(a, pads, resampling.reflected),
            lambda g: resampling.take_border_back(g, size, pads, resampling.reflected),
        ),
        (
            lambda a: resampling.take_border(a, pads, resampling.replicated),
            lambda g: resampling.take_border_back(g, size, pads, resampling.replicated),
        ),
        (
            lambda a: resampling.upsample_linear(a, larger),
            lambda g: resampling.upsample_linear_back(g, size),
        ),
    ):
        output = forward(x)
        g = whole(rng, *output.shape)
        gradInput = back(g)
        assert gradInput.shape == x.shape
        np.testing.assert_allclose((g * output).sum(), (gradInput * x).sum(), atol=1e-10)


def test_nan_and_infinity_stay_between_their_neighbours():
    x = np.array([1.0, np.inf, 2.0, np.nan, 3.0])
    output = resampling.upsample_linear(x, (9,))
    assert output.tolist()[:5] == [1, np.inf, np.inf, np.inf, 2]
    assert np.isnan(output).tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 0]
    back = resampling.upsample_linear_back(np.array([1.0, 0, 0, np.inf, 0]), (3,))
    assert back.tolist() == [1, np.inf, np.inf]
    back = resampling.upsample_linear_back(np.array([1.0, 0, np.inf, 0, 2.0]), (3,))
    assert back.tolist() == [1, np.inf, 2]


def test_resampling_of_other_arrays():
    x = whole(np.random.default_rng(0), 2, 3, 4)
    pads = [(1, 2), (-1, 1)]
    for call in (
        lambda a: resampling.crop_or_pad(a, pads),
        lambda a: resampling.take_border(a, pads, resampling.reflected),
        lambda a: resampling.take_border_back(a, (1, 4), [(1, 1), (1, -1)], resampling.replicated),
        lambda a: resampling.upsample_nearest(a, (2, 3)),
        lambda a: resampling.upsample_nearest_back(a, (3, 2)),
        lambda a: resampling.upsample_linear(a, (5, 2)),
        lambda a: resampling.upsample_linear_back(a, (2, 7)),
    ):
        assert np.array_equal(call(Duck(x)).held, call(x))


# ---------------------------------------------------------------- sizes


@given(geometries())
def test_sizes(geometry):
    size, kernel, stride, padding, dilation = geometry
    out = windowed_size(*geometry)
    padded = np.zeros((1, 1, *(n + 2 * p for n, p in zip(size, padding, strict=True))))
    assert window_view(padded, kernel, stride, dilation).shape == (1, *kernel, 1, *out)
    padding = tuple(min(p, k // 2) for p, k in zip(padding, kernel, strict=True))
    out = windowed_size(size, kernel, stride, padding, dilation)
    if min(out) > 0:
        ends = zip(out, size, padding, stride, strict=True)
        expected = tuple(min(m, -(-(n + p) // s)) for m, n, p, s in ends)
        assert pooled_size(size, kernel, stride, padding, dilation) == expected


@given(geometries())
def test_full_sizes_have_so_many_windows(geometry):
    size, _, stride, *_ = geometry
    out = windowed_size(*geometry)
    for extra in range(min(stride)):
        made = full_size(out, *geometry[1:], (extra,) * len(size))
        # An image without entries has none, though its padding would.
        expected = tuple(m if n else 0 for m, n in zip(out, made, strict=True))
        assert windowed_size(made, *geometry[1:]) == expected


def test_windows_of_nothing_are_none():
    assert windowed_size((2,), (4,), (1,), (0,), (1,)) == (-1,)
    # Padding alone is no image.
    assert windowed_size((0, 1), (1, 1), (1, 1), (2, 2), (1, 1)) == (0, 5)
    assert pooled_size((0, 1), (2, 2), (1, 1), (1, 1), (1, 1)) == (0, 2)
    assert full_size((0, 1), (3, 3), (1, 1), (0, 0), (1, 1), (0, 0)) == (0, 3)
    assert pooled_size((6,), (1,), (3,), (0,), (1,), True) == (2,)
    assert pooled_size((5,), (3,), (2,), (1,), (1,), True) == (3,)
    assert adaptive_windows(2, 3) == [(0, 1), (0, 2), (1, 2)]


@given(geometries())
def test_taps_are_the_entries_of_the_windows(geometry):
    size, kernel, stride, padding, dilation = geometry
    out = windowed_size(*geometry)
    planes = np.arange(np.prod(size)).reshape(1, 1, *size) + 1
    pads = [(0, 0), (0, 0), *((p, p) for p in padding)]
    view = window_view(np.pad(planes, pads), kernel, stride, dilation)
    other = window_view(Duck(np.pad(planes, pads)), kernel, stride, dilation)
    assert np.array_equal(other.held, view)
    assert not view.flags.writeable
    # Of planes that lie otherwise, too.
    turned = np.pad(planes, pads).T.copy().T
    assert np.array_equal(window_view(turned, kernel, stride, dilation), view)
    for tap, index in taps(out, kernel, stride, dilation):
        assert np.array_equal(np.pad(planes, pads)[index][0], view[(slice(None), *tap, 0)])
    found = np.zeros_like(view)
    for tap, inside, entries in inner_taps(size, out, kernel, stride, padding, dilation):
        found[(slice(None), *tap, 0)][inside] = planes[entries][0]
    assert np.array_equal(found, view)


def test_what_stands_outside_an_image_is_cut_off():
    for before, expected in ((2, [0, 0, 1, 2]), (-1, [2, 3, 0, 0]), (-4, [0] * 4), (5, [0] * 4)):
        image, array = np.zeros(4, int), np.array([1, 2, 3])
        here, there = middle(array.shape, (4,), (before,))
        image[there] = array[here]
        assert image.tolist() == expected
