"""What sums of criterions have in common."""

from typing import Any, Self

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.container import locate
from torchlite.nn.criterion import Criterion
from torchlite.nn.nested import map_arrays
from torchlite.nn.stateful import restored


class WeightedSum(Criterion):
    """A weighted sum of criterions: a member says what each of them gets.

    Attributes
    ----------
    criterions, weights
        Lists of what was added.
    """

    def __init__(self) -> None:
        self.criterions: list[Criterion] = []
        self.weights: list[complex] = []

    def add(self, criterion: Any, weight: float = 1) -> Self:
        """Append a criterion that counts `weight` times. Return self."""
        checks.must_be_instance(self, "add", "criterion", criterion, Criterion)
        weight = checks.constant(self, "weight", weight)
        self.criterions.append(criterion)
        self.weights.append(weight)
        return self

    def updateOutput(self, input: Any, target: Any) -> float:
        self.output = sum(self._each("updateOutput", input, target), 0.0)
        return self.output

    def _each(self, method: str, input: Any, target: Any) -> list[Any]:
        """Return what this method of each criterion gives, times its weight."""
        results = []
        dealt = self._dealt(method, input, target)
        # A criterion with modules inside adds to their gradients, and a later one may fail.
        with restored(self._accumulated()):
            for i, criterion in enumerate(self.criterions):
                try:
                    result = getattr(criterion, method)(*dealt[i])
                except Exception as error:
                    locate(error, self, i)
                    raise
                results.append(_scaled(self.weights[i], result))
        return results

    def _accumulated(self) -> list[Array]:
        return [array for criterion in self.criterions for array in criterion._accumulated()]

    def _dealt(self, method: str, input: Any, target: Any) -> list[tuple[Any, Any]]:
        """Return the input and target of each criterion."""
        raise NotImplementedError


def _scaled(weight: Any, table: Any) -> Any:
    return map_arrays(lambda array: weight * array, table)
