"""What containers have in common whose modules stand side by side."""

from typing import Any, Self

from numpy import ndarray

from torchlite.errors import StateError
from torchlite.nn import checks, table_checks
from torchlite.nn._remembering import Remembering
from torchlite.nn.container import locate
from torchlite.nn.entries import total_gradient
from torchlite.nn.module import Module
from torchlite.nn.nested import EMPTY, same, shapes


class Branches(Remembering):
    """Modules side by side, each with its own input and its own gradOutput.

    A member says how inputs are dealt out and outputs joined, how gradOutputs are dealt out and
    gradInputs joined. Unless it says otherwise, every module gets the whole input, the outputs
    make a table, and the gradInputs are summed.

    Attributes
    ----------
    inputs, outputs
        After a forward: what each module was given, and what it returned.
    gradOutputs
        After `updateGradInput`: the gradient of each output, so that
        `modules[i].backward(inputs[i], gradOutputs[i])` is the step of module i.

    Conventions
    -----------
    A backward needs the memory of a forward of the same input; a new forward drops it, and so
    does an error. It runs `updateGradInput` of all modules in order, then `accGradParameters` of
    all. Where the `gradInput` of a module is None, the gradient of the input is left out and None
    returned.
    """

    _validates = True
    # Whether it is made for one module.
    _single = False

    transient = (*Remembering.transient, "inputs", "outputs", "_input", "_gradOutput", "_ran")
    inputs: Any = ()
    outputs: Any = ()
    # To what the memory belongs (None: there is none), and the modules that ran.
    _input: Any = None
    _gradOutput: Any = None
    _ran: Any = ()

    def insert(self, module: Module, index: Any = None) -> Self:
        """Insert a module before position index, at the end without one. Return self."""
        if self._single and self.modules:
            method = "add" if index is None else "insert"
            raise StateError(
                f"{type(self).__name__}.{method}: it is made for one module and holds one",
                layer=self,
                method=method,
                argument="module",
                hint="remove() takes it out",
            )
        return super().insert(module, index)

    def updateOutput(self, input: Any) -> Any:
        """Run every module on its own input, and join the outputs."""
        self._forget()
        if not self.modules:
            raise StateError(
                f"{type(self).__name__}.updateOutput: there are no modules",
                layer=self,
                method="updateOutput",
                hint="add(module)",
            )
        inputs = self._deal(input)
        modules = self._team(len(inputs))
        # The last one makes room for the next.
        self.output = EMPTY
        outputs: list[Any] = []
        try:
            for module, part in zip(modules, inputs, strict=True):
                outputs.append(module.updateOutput(part))
        except Exception as error:
            position = min(len(outputs), len(modules) - 1)
            locate(error, self, position, f"input {shapes(inputs[position])}")
            raise
        self.output = self._join(input, outputs)
        self.inputs, self.outputs, self._input, self._ran = inputs, outputs, input, modules
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        """Run every module's updateGradInput, and join the gradInputs."""
        if self._input is not input or len(self._ran) != len(self.inputs):
            self._must_remember("updateGradInput", self._remembered(), input)
        gradOutputs = self._deal_back("updateGradInput", gradOutput)
        if self.gradInput is not None:
            # The last one makes room for the next.
            self.gradInput = EMPTY
        gradInputs: list[Any] = []
        modules, complete = self._ran, True
        try:
            for module, part, gradient in zip(modules, self.inputs, gradOutputs, strict=True):
                gradInput = module._backpropagate(part, gradient)
                complete = complete and gradInput is not None
                gradInputs.append(gradInput)
        except Exception as error:
            self._forget()
            position = min(len(gradInputs), len(modules) - 1)
            locate(error, self, position, self._backward_story(gradOutputs, position))
            raise
        self.gradOutputs, self._gradOutput = gradOutputs, gradOutput
        whole = self._join_back(input, gradInputs) if complete else None
        if self.gradInput is None:
            return None
        self.gradInput = EMPTY if whole is None else whole
        return whole

    def _steps(self, input: Any, gradOutput: Any) -> tuple[Any, Any, Any, Any]:
        if self._input is not input or len(self._ran) != len(self.inputs):
            self._must_remember("accGradParameters", self._remembered(), input)
        gradOutputs, known = self.gradOutputs, self._gradOutput
        if known is not gradOutput and (known is None or not same(known, gradOutput)):
            gradOutputs = self._deal_back("accGradParameters", gradOutput)
        return range(len(self._ran)), self._ran, self.inputs, gradOutputs

    # ---------------------------------------------------------------- what a member says

    def _deal(self, input: Any) -> list[Any]:
        """Return the input of each module."""
        return [input] * len(self.modules)

    def _join(self, input: Any, outputs: list[Any]) -> Any:
        """Return the output, from the outputs of the modules."""
        return list(outputs)

    def _deal_back(self, method: str, gradOutput: Any) -> list[Any]:
        """Return the gradOutput of each module."""
        table_checks.must_be_table(self, method, "gradOutput", gradOutput, len(self.outputs))
        return list(gradOutput)

    def _join_back(self, input: Any, gradInputs: list[Any]) -> Any:
        """Return the gradInput, from the gradInputs of the modules."""
        shape = input.shape if type(input) is ndarray else None
        for i, gradInput in enumerate(gradInputs):
            if type(gradInput) is ndarray and gradInput.shape == shape:
                continue
            if shapes(gradInput) != shapes(input):
                module, expected = self._ran[i], shapes(input)
                self._forget()
                why = " like its input"
                raise checks.misshapen(
                    module, "updateGradInput", "gradInput", expected, gradInput, why=why
                )
        return total_gradient(gradInputs, input)

    def _team(self, count: int) -> Any:
        """Return the modules that run on so many inputs."""
        return self.modules

    # ---------------------------------------------------------------- memory

    def _remembered(self) -> Any:
        """Return the input whose forward is remembered, or None."""
        # A module added or removed since makes it another network.
        return self._input if len(self._ran) == len(self.inputs) else None

    def _forget(self) -> None:
        # First what says that there is something to remember.
        self._input = self._gradOutput = None
        self.inputs = self.outputs = self.gradOutputs = self._ran = ()

    def _backward_story(self, gradOutputs: Any, position: int) -> str:
        return f"gradOutput {shapes(gradOutputs[position])}"

    def __repr__(self) -> str:
        name = type(self).__name__
        if not self.modules:
            return f"{name} {{ }}"
        *first, last = (f"({i}): {module!r}" for i, module in enumerate(self))
        lines = ["input"]
        lines += ["  |`-> " + text.replace("\n", "\n  |    ") for text in first]
        lines += ["   `-> " + last.replace("\n", "\n       "), "   ... -> output"]
        inside = "\n".join(lines).replace("\n", "\n  ")
        return f"{name} {{\n  {inside}\n}}"
