"""What layers have in common that draw from distributions of a scale."""

from typing import Any, ClassVar

from torchlite.errors import ShapeError
from torchlite.kernels.arrays import Array
from torchlite.nn import checks, table_checks
from torchlite.nn.dpnn._reinforce import Reinforced
from torchlite.nn.nested import is_array, shapes


class ScaledReinforced(Reinforced):
    """One whose distributions have a scale: that of the layer, or the second entry of the input."""

    # The attribute that holds it.
    _scale: ClassVar[str]

    def _held(self, scale: Any) -> Any:
        """Return the scale as it is to be held: a number, an array or None."""
        if not is_array(scale):
            return None if scale is None else checks.positive_number(self, self._scale, scale)
        checks.must_have_precision(self, "__init__", self._scale, scale, None)
        if not scale.ndim:
            expected = "a number, or an array of at least one dimension"
            raise checks.misbuilt(ShapeError, self, self._scale, expected, shapes(scale))
        self._dtype = scale.dtype
        return scale.copy()

    def _must_fit(self, method: str, input: Any) -> None:
        scale = getattr(self, self._scale)
        if scale is None:
            table_checks.must_be_alike(self, method, "input", input, 2)
            return
        dtype = scale.dtype if is_array(scale) else None
        checks.must_be_floating(self, method, "input", input, dtype)
        if dtype is not None and scale.shape not in (input.shape, input.shape[1:]):
            expected = f"{scale.shape} like {self._scale}, or a batch of such"
            raise checks.misshapen(self, method, "input", expected, input)

    def _parts(self, input: Any) -> tuple[Array, Any]:
        """Return the first parameter of the distributions, and their scale."""
        scale = getattr(self, self._scale)
        if scale is None:
            first, scale = input
            return first, scale
        return input, scale
