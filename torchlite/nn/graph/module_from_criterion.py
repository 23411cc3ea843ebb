"""ModuleFromCriterion."""

from torchlite.nn.table.criterion_table import CriterionTable

__all__ = ["ModuleFromCriterion"]


class ModuleFromCriterion(CriterionTable):
    """A criterion as a layer of a table of input and target: what a criterion's node is made of.

    A `nn.CriterionTable`, of which the output is an array of one number. Called with nodes, a
    criterion makes one of itself: `nn.MSECriterion()([prediction, target])`.

    Maths
    -----
    ::

        output = np.array([criterion.updateOutput(input[0], input[1])])
        gradient = gradOutput * criterion.updateGradInput(input[0], input[1])
        gradInput = [gradient, np.zeros_like(input[1])]

    Shapes
    ------
    input: a table of two entries, what the criterion takes; output: (1,).

    Parameters
    ----------
    criterion
        A Criterion.

    Conventions
    -----------
    Remembers what the criterion remembers. Nothing is learnt about the target: its gradient is
    zeros. gradOutput may also be a plain number.

    Raises
    ------
    ShapeError, DTypeError
        input is no such table, or does not fit the criterion; gradOutput is no number.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> x, y = nn.Identity()(), nn.Identity()()
    >>> net = nn.gModule([x, y], [nn.MSECriterion()([nn.MulConstant(2)(x), y])])
    >>> input = [np.array([1.0, 2.0]), np.array([3.0, 5.0])]
    >>> net.forward(input), net.backward(input, np.ones(1))
    (array([1.]), [array([-2., -2.]), array([0., 0.])])

    Reference
    ---------
    Torch7, nngraph/ModuleFromCriterion.lua.
    """

    _shape = (1,)
