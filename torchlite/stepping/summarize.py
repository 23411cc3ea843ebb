"""What a network is made of: a table of its modules."""

import ast
import copy
import textwrap
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from torchlite import random
from torchlite.errors import DTypeError, fault
from torchlite.kernels.windows import adaptive_windows
from torchlite.nn import checks
from torchlite.nn.module import Module
from torchlite.nn.nested import is_array, is_floating, leaves
from torchlite.nn.tree import walk
from torchlite.stepping import text
from torchlite.stepping.arrays import named_arrays
from torchlite.stepping.drawing import tree
from torchlite.stepping.memory import Memory, frozen_parameters, held, owner
from torchlite.stepping.recorder import record
from torchlite.stepping.steps import Step
from torchlite.testing.maths import statements

__all__ = ["Summary", "own_parameters", "summary"]

_NOT_COUNTED = "Multiply-adds are counted in the layers' docstrings, which python -OO leaves out."
_NO_PRODUCTS = "Multiply-adds cannot be read off the formulas of"
_TITLES = ("position", "layer", "output", "parameters", "", "multiply-adds", "activations")
# Functions of the formulas that add up the entries of windows.
_WINDOWED = ("sum_windows", "mean_windows", "adaptive_means")
# From this column on they are numbers.
_NUMBERS = 3
# The width at which a layer's own name is cut.
_LONGEST = 40


@dataclass
class Row:
    """A module, or the totals; None is what is not known."""

    position: str
    layer: str
    output: str = ""
    parameters: int | None = None
    multiply_adds: int | None = None
    activations: int | None = None
    tied: bool = False
    frozen: int = 0


@dataclass
class Summary:
    """A table of modules; text when printed.

    Attributes
    ----------
    rows
        One a module, containers before what is inside them: `position`, `layer`, `output` (the
        shape), `parameters` (how many numbers of its own), `tied` (whether some of these are
        counted in a row above, where they stand first), `frozen` (how many it holds with a gradient
        and leaves out of `parameters()`), `multiply_adds` (of its matrix products
        and convolutions, in which padding counts like any other entry; of sums and means over
        windows, one for each entry of each window; None where it adds up products, and how many
        cannot be read off its formula), `activations`
        (bytes of its output, 0 where it is a view of its input). Of what runs once a step of a
        sequence, the numbers are those of all steps, and `output` says how many there are.
    total
        The sums; no `multiply_adds` where those of a layer are not known. `parameters` are those
        that are trained, `frozen` the others.
    memory
        The bytes that a step of training holds, each array once: `parameters`, their `gradients`,
        what `forward` and `backward` leave behind. Neither the input is in it, nor the criterion,
        nor an optimizer, nor what a layer needs while it computes, and lets go. None without an
        input shape, and where zeros cannot be trained on.
    drawings
        Each gModule, drawn from left to right.
    note
        What is missing and why, or None: the layers whose multiply-adds are not known, or that
        `python -OO` leaves out the formulas from which they are counted.
    """

    rows: list[Row]
    total: Row
    note: str | None = None
    drawings: list[str] = field(default_factory=list)
    memory: Memory | None = None

    def __str__(self) -> str:
        return self.within(2**20)

    def within(self, columns: int) -> str:
        """Return the text for so many columns: what does not fit beside the rest stands below."""
        cells = self.cells()
        used = [i for i in range(len(_TITLES)) if any(row[i] for row in cells[1:])]
        right = [k for k, i in enumerate(used) if i >= _NUMBERS]
        tables = []
        for lines in text.columns([[row[i] for i in used] for row in cells], columns, right):
            rule = "-" * max(map(len, lines))
            tables.append("\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]]))
        below = [
            part
            for line in self.counts()
            for part in textwrap.wrap(line, columns, subsequent_indent="  ")
        ]
        below += [] if self.note is None else [self.note]
        tables[-1] = "\n".join([tables[-1], *below])
        return "\n\n".join([*tables, *self.drawings])

    def cells(self) -> list[tuple[str, ...]]:
        """Return the table: titles, a row for each module, the total."""
        return [_TITLES, *map(_cells, self.rows), _cells(self.total)]

    def counts(self) -> list[str]:
        """Return what is printed below the total, in lines."""
        trained, frozen = _grouped(self.total.parameters), _grouped(self.total.frozen)
        lines = [f"{trained} trainable parameters, {frozen} frozen"]
        if self.memory is not None:
            words = "parameters", "their gradients", "from forward", "from backward"
            sizes = map(_memory, self.memory)
            each = ", ".join(f"{size} {word}" for size, word in zip(sizes, words, strict=True))
            lines += [f"a step of training holds {_memory(sum(self.memory))}:", f"  {each}"]
        return lines

    def _repr_html_(self) -> str:
        from torchlite.stepping import notebook

        return notebook.of_summary(self)


def summary(net: Module, input_shape: Any = None) -> Summary:
    """Return a table of the network's modules; without input shape, of what can be known.

    input_shape is a tuple, or a list of tuples for a table; or an input itself, which layers need
    that take indices beside numbers. A copy of the network is run on zeros of that shape, or on the
    input, in evaluation mode, and one forward and backward in training, to see what memory that
    takes.

    Example
    -------
    >>> import torchlite as nn
    >>> net = nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
    >>> print(summary(net, input_shape=(64, 784)))
    position  layer              output    parameters  multiply-adds  activations
    -----------------------------------------------------------------------------
    net       Sequential         (64, 10)
      net[0]  Linear(784 -> 32)  (64, 32)      25,120      1,605,632      16.0 kB
      net[1]  ReLU               (64, 32)           0              0      16.0 kB
      net[2]  Linear(32 -> 10)   (64, 10)         330         20,480       5.0 kB
    -----------------------------------------------------------------------------
    total                                      25,450      1,626,112      37.0 kB
    25,450 trainable parameters, 0 frozen
    a step of training holds 863.7 kB:
      198.8 kB parameters, 198.8 kB their gradients, 37.0 kB from forward, 429.0 kB from backward
    """
    ran, input = ({}, None) if input_shape is None else _run(net, input_shape)
    own, outer, holders = own_parameters(net), _outer(net, ran), _outer(net, ())
    untrained: dict[str, int] = {}
    for path, _, (parameter, _) in frozen_parameters(net):
        untrained[path] = untrained.get(path, 0) + parameter.size
    rows = []
    for place in walk(net):
        if not isinstance(place.module, Module):
            continue
        position = f"net{place.path}"
        row = Row("  " * (len(place.around) - 1) + position, _title(place.module))
        row.output, multiply_adds, activations = ran.get(position, ("", None, None))
        row.parameters, row.tied = own.get(position, (0, False))
        row.frozen = untrained.get(place.path, 0)
        if position not in outer:
            row.multiply_adds, row.activations = multiply_adds, activations
        if position in holders and position not in own:
            row.parameters = None
        rows.append(row)
    drawings = text.drawings(tree(net))
    total = Row("total", "", "", sum(row.parameters or 0 for row in rows))
    total.frozen = sum(row.frozen for row in rows)
    if input_shape is None:
        return Summary(rows, total, None, drawings)
    total.activations = sum(row.activations or 0 for row in rows)
    unknown = [row for row in rows if row.activations is not None and row.multiply_adds is None]
    note = None
    if Module.__doc__ is None:
        note = _NOT_COUNTED
    elif unknown:
        positions = ", ".join(row.position.strip() for row in unknown)
        note = f"{_NO_PRODUCTS} {positions}, so they have no total."
    else:
        total.multiply_adds = sum(row.multiply_adds or 0 for row in rows)
    return Summary(rows, total, note, drawings, held(net, input))


def _outer(net: Module, ran: Any) -> set[str]:
    """Return the positions of modules whose parts run, or would: the others are layers."""
    found = set()
    for place in walk(net):
        for around in place.around[:-1] if isinstance(place.module, Module) else ():
            position = f"net{around.path}"
            # A recurrent module may compute what its part would, step by step.
            if position not in ran or f"net{place.path}" in ran:
                found.add(position)
    return found


def own_parameters(net: Module) -> dict[str, tuple[int, bool]]:
    """Return by position how many numbers stand there first, and whether others do before."""
    rows = list(net.located_parameters())
    counted = np.zeros(sum(parameter.size for parameter in net.parameters()[0]), bool)
    found: dict[str, tuple[int, bool]] = {}
    for row in rows:
        fresh = int(np.count_nonzero(~counted[row.entries]))
        counted[row.entries] = True
        position = f"net{row.place.path}"
        count, tied = found.get(position, (0, False))
        found[position] = count + fresh, tied or fresh < row.parameter.size
    return found


def _run(net: Module, input_shape: Any) -> tuple[dict[str, tuple[str, int | None, int]], Any]:
    """Return output shape, multiply-adds and bytes of the output by position; and the input."""
    net = copy.deepcopy(net).evaluate()
    dtype = net.type()

    def zeros(shape: Any, dtype: Any) -> Any:
        if isinstance(shape, list):
            return [zeros(entry, dtype) for entry in shape]
        if is_array(shape):
            return shape.astype(net.type()) if is_floating(shape) else shape
        return np.zeros(shape, dtype)

    state = random.getRNGState()
    input = zeros(input_shape, dtype)
    try:
        with record(net, max_elements=0) as steps, np.errstate(all="ignore"):
            try:
                net.forward(input)
            except DTypeError:
                # A LookupTable and its kin take indices.
                steps.steps.clear()
                input = zeros(input_shape, "int64")
                try:
                    net.forward(input)
                except DTypeError as error:
                    expected, hint = "an input of this network", "summary(net, input)"
                    got = f"a shape, of which neither {dtype} nor int64 fits everywhere"
                    raise fault(
                        DTypeError, "summary", "input_shape", expected, got, hint=hint
                    ) from error
    finally:
        random.setRNGState(state)
    calls: dict[str, list[Step]] = {}
    for step in steps:
        calls.setdefault(step.position, []).append(step)
    memory = _memory_by_position(net, input, _outer(net, calls))
    modules = {f"net{place.path}": place.module for place in walk(net)}
    found = {}
    for position, each in calls.items():
        output = each[-1].results["output"]
        shown = ", ".join(str(array.shape) for _, array in named_arrays("output", output))
        shown = f"[{shown}]" if isinstance(output, list) else shown
        if len(each) > 1:
            shown = f"{len(each)} x {shown}"
        counts = [_multiply_adds(step, modules.get(position)) for step in each]
        total = None if None in counts else sum(filter(None, counts))
        found[position] = (shown, total, len(each) * memory.get(position, 0))
    return found, input


def _memory_by_position(net: Module, input: Any, outer: set[str]) -> dict[str, int]:
    """Return the bytes of the layers' outputs; what several of them are views of counts once."""
    seen = {id(owner(array)) for array in leaves(input)}
    found = {}
    for place in walk(net):
        module = place.module
        if isinstance(module, Module) and f"net{place.path}" not in outer:
            owners = {id(owner(array)): array for array in leaves(module.output)}
            fresh = [array for memory, array in owners.items() if memory not in seen]
            seen.update(owners)
            found[f"net{place.path}"] = sum(array.nbytes for array in fresh if is_array(array))
    return found


def _multiply_adds(step: Step, module: Any) -> int | None:
    """Return the multiply-adds of the products in a layer's formula that are added up.

    None, where a layer has weights but no formula, or its products are not written as such.
    """
    if Module.__doc__ is None:
        return None
    of_a_row = getattr(module, "_multiply_adds", None)
    if of_a_row is not None:
        ((_, output), *_) = named_arrays("output", step.results["output"])
        return int(prod(output.shape[:-1]) * of_a_row)
    if getattr(module, "_sparse", False):
        # Its formula has zeros that the layer leaves out.
        return None
    if not step.maths and step.parameters:
        return None
    formula = ast.parse("\n".join(step.maths or _of_the_output(type(module))))
    nodes = list(ast.walk(formula))
    if not any(map(_is_counted, nodes)):
        # How many these are, their formula does not tell.
        held = named_arrays("", list(step.parameters.values()))
        weights = any(len(parameter.shape) > 1 for _, parameter in held)
        return None if any(_adds_products(node, weights) for node in nodes) else 0
    if not step.maths:
        return None
    count = 0
    for statement in formula.body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        result = _shape(target, step.shapes)
        for node in ast.walk(statement):
            found: int | None = 0
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
                left, right = (_shape(side, step.shapes) for side in (node.left, node.right))
                known = left is not None and right is not None
                found = prod(left) * (right[-1] if len(right) > 1 else 1) if known else None
            elif isinstance(node, ast.Call):
                found = _of_a_call(node, step.shapes, result, module, nodes)
            if found is None:
                return None
            count += found
    return count


def _of_the_output(kind: type) -> list[str]:
    """Return the formula of the output: it tells of what kind a layer is where it does not hold."""
    found: list[str] = []
    for statement in ast.parse("\n".join(statements(kind))).body:
        found.append(ast.unparse(statement))
        if found[-1].startswith("output ="):
            return found
    return []


def _is_counted(node: Any) -> bool:
    """Tell whether it is a matrix product, a convolution, or a sum over windows."""
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.MatMult)
    return isinstance(node, ast.Call) and any(
        word in ast.unparse(node.func) for word in ("conv", "einsum", *_WINDOWED)
    )


def _adds_products(node: Any, weights: bool) -> bool:
    """Tell whether it is a sum of products, or beside matrices of weights one of powers."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] != "sum":
        return False
    kinds = (ast.Mult, ast.Pow) if weights else (ast.Mult,)
    return any(isinstance(n, ast.BinOp) and isinstance(n.op, kinds) for n in ast.walk(node))


def _of_a_call(
    call: ast.Call, shapes: dict[str, str], result: Any, module: Any, nodes: list[Any]
) -> int | None:
    """Return the multiply-adds of a call whose result, or a rearrangement of it, has this shape."""
    if isinstance(call.func, ast.Attribute):
        return None if call.func.attr == "einsum" else 0
    name = ast.unparse(call.func)
    if name in _WINDOWED:
        return _of_windows(call, shapes, result, module, nodes)
    if "conv" not in name:
        return 0
    given = [_shape(argument, shapes) for argument in call.args[:2]]
    if len(given) < 2 or None in given or result is None:
        return None
    images, weight = given
    # Kernels stand at every entry of the output, or of the input if that is what they spread.
    places = images if name.endswith("_transposed") else result
    if name.startswith("mapped"):
        return prod(places) // places[-len(weight)] * prod(weight)
    return prod(places) * prod(weight[3:] if name.startswith("local") else weight[1:])


def _of_windows(
    call: ast.Call, shapes: dict[str, str], result: Any, module: Any, nodes: list[Any]
) -> int | None:
    """Return how many entries all windows have together; None if that cannot be read off."""
    if result is None:
        return None
    if ast.unparse(call.func) == "adaptive_means":
        image = _shape(call.args[0], shapes)
        if image is None:
            return None
        dims = len(call.args[1].elts) if isinstance(call.args[1], ast.Tuple) else 0
        each = zip(image[-dims:], result[-dims:], strict=True)
        return prod(image[:-dims]) * prod(
            sum(stop - start for start, stop in adaptive_windows(*pair)) for pair in each
        )
    kernel: Any = call.args[1] if len(call.args) > 1 else None
    if isinstance(kernel, ast.Starred):
        named = [
            node.value
            for node in nodes
            if isinstance(node, ast.Assign)
            if ast.unparse(node.targets[0]) == ast.unparse(kernel.value)
        ]
        kernel = named[0].elts[0] if named and isinstance(named[0], ast.Tuple) else None
    sizes: list[Any] = [
        node.value if isinstance(node, ast.Constant) else getattr(module, ast.unparse(node), None)
        for node in (kernel.elts if isinstance(kernel, ast.Tuple) else [])
    ]
    if not sizes or not all(isinstance(size, int) for size in sizes):
        return None
    return prod(result) * prod(sizes)


def _shape(node: Any, shapes: dict[str, str]) -> Any:
    """Return the shape of what a name, or its transpose, stands for; None if that is not known."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        inner = _shape(node.value, shapes)
        return None if inner is None else inner[::-1]
    if isinstance(node, ast.Name) and shapes.get(node.id, "").startswith("("):
        return ast.literal_eval(shapes[node.id])
    return None


def _title(module: Module) -> str:
    title = checks.title(module)
    return title if len(title) <= _LONGEST else title[: _LONGEST - 3] + "..."


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.position,
        row.layer,
        row.output,
        _grouped(row.parameters),
        ", ".join(
            filter(None, ["tied" * row.tied, f"{_grouped(row.frozen)} frozen" * bool(row.frozen)])
        ),
        _grouped(row.multiply_adds),
        _memory(row.activations),
    )


def _grouped(count: int | None) -> str:
    return "" if count is None else f"{count:,}"


def _memory(size: int | None) -> str:
    if size is None:
        return ""
    for unit in ("B", "kB", "MB"):
        if size < 1024:
            return f"{size} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024  # type: ignore[assignment]
    return f"{size:.1f} GB"
