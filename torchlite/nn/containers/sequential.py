"""Sequential."""

from typing import Any

from torchlite.nn import checks, table_checks
from torchlite.nn._remembering import OneAfterAnother
from torchlite.nn.container import locate
from torchlite.nn.nested import EMPTY, same, shapes

__all__ = ["Sequential"]

# How many steps an error tells of what led to it, before it leaves the earlier ones out.
_LONGEST_STORY = 6


class Sequential(OneAfterAnother):
    """Each module's output is the next one's input.

    Maths
    -----
    With x the input of the last module::

        output = modules[-1](...modules[1](modules[0](input)))
        gradInput = modules[0].updateGradInput(input, ...modules[-1].updateGradInput(x, gradOutput))

    Shapes
    ------
    input: what the first module takes; output: what the last one returns.

    Attributes
    ----------
    activations
        After a forward: [input, output of modules[0], ..., output of modules[-1]].
    gradOutputs
        After `updateGradInput`: the gradient of each module's output, by position, so that
        `modules[i].backward(activations[i], gradOutputs[i])` is the step of module i.

    Conventions
    -----------
    An empty one is the identity. A backward runs `updateGradInput` through all modules from the
    last to the first, then `accGradParameters` through all. It needs the path of a forward of the
    same input; a new forward drops it, and so does an error. With `modules[0].gradInput = None`
    (or that of the network itself) the gradient of the input is left out and None returned. The
    same instance may stand in several places if it remembers nothing.

    Raises
    ------
    StateError
        The input (or gradOutput) is not that of the last forward (or `updateGradInput`);
        `gradInput` is None where a module before needs it.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> net
    Sequential {
      [input -> (0) -> (1) -> (2) -> output]
      (0): Linear(2 -> 3)
      (1): ReLU
      (2): Linear(3 -> 1)
    }
    >>> output = net.forward(np.ones((5, 2)))
    >>> [activation.shape for activation in net.activations]
    [(5, 2), (5, 3), (5, 3), (5, 1)]
    >>> net.backward(np.ones((5, 2)), np.ones((5, 1))).shape
    (5, 2)

    Reference
    ---------
    Torch7, nn/Sequential.lua.
    """

    _validates = True

    def updateOutput(self, input: Any) -> Any:
        """Run the modules in order, keep every activation, return the last."""
        self.activations = self.gradOutputs = ()
        # The last module's last one, which makes room for the next.
        self.output = EMPTY
        path = [input]
        try:
            for module in self.modules:
                input = module.updateOutput(input)
                path.append(input)
        except Exception as error:
            position = min(len(path), len(self)) - 1
            story = self._story("input", path, range(position), position)
            locate(error, self, position, story)
            raise
        self.activations = path
        self.output = input
        return input

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        """Run the modules' updateGradInput from the last to the first."""
        modules = self.modules
        path = self._path_of("updateGradInput", input)
        if not modules:
            gradOutput = table_checks.checked_gradient(self, "updateGradInput", gradOutput, input)
        self.gradOutputs = ()
        if self.gradInput is not None:
            # The first module's last one, which makes room for the next.
            self.gradInput = EMPTY
        gradOutputs = [gradOutput] * len(modules)
        position = len(modules)
        try:
            while position > 1:
                position -= 1
                module = modules[position]
                if module.gradInput is None:
                    raise checks.cut_off(module, modules[position - 1], position)
                gradOutput = module.updateGradInput(path[position], gradOutput)
                if gradOutput is None:
                    raise checks.cut_off(module, modules[position - 1], position)
                gradOutputs[position - 1] = gradOutput
            if modules:
                position = 0
                gradOutput = modules[0]._backpropagate(input, gradOutput)
        except Exception as error:
            self._forget()
            locate(error, self, position, self._backward_story(gradOutputs, position))
            raise
        self.gradOutputs = gradOutputs
        if self.gradInput is None:
            return None
        self.gradInput = EMPTY if gradOutput is None else gradOutput
        return gradOutput

    def _steps(self, input: Any, gradOutput: Any) -> tuple[Any, Any, Any, Any]:
        path = self._path_of("accGradParameters", input)
        modules, gradOutputs = self.modules, self.gradOutputs
        if modules and (not gradOutputs or gradOutputs[-1] is not gradOutput):
            self._must_have_gone_back(bool(gradOutputs) and same(gradOutputs[-1], gradOutput))
        return range(len(modules) - 1, -1, -1), modules, path, gradOutputs

    def _forget(self) -> None:
        self.activations = self.gradOutputs = ()

    def _backward_story(self, gradOutputs: Any, position: int) -> str:
        passed = range(len(self) - 1, position, -1)
        return self._story("gradOutput", gradOutputs[::-1], passed, position)

    def __repr__(self) -> str:
        flow = " -> ".join(["input", *(f"({i})" for i in range(len(self))), "output"])
        lines = [f"[{flow}]"]
        lines += [f"({i}): {module!r}" for i, module in enumerate(self)]
        inside = "\n".join(lines).replace("\n", "\n  ")
        return f"{type(self).__name__} {{\n  {inside}\n}}"

    def _story(self, name: str, arrays: Any, passed: Any, position: int) -> str:
        """Tell what led to position: arrays[0] came in, arrays[i + 1] out of the i-th passed."""
        steps = [f"{name} {shapes(arrays[0])}"]
        steps += [
            f"[{i}] {checks.title(self.modules[i])} -> {shapes(array)}"
            for i, array in zip(passed, arrays[1:], strict=False)
        ]
        if len(steps) > _LONGEST_STORY:
            steps[1 : len(steps) - _LONGEST_STORY + 1] = ["..."]
        return " -> ".join([*steps, f"[{position}] here"])
