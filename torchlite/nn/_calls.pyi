"""What type checkers are told of forward and backward: what the class's own methods say."""

from typing import Any, Protocol, TypeVar

Input = TypeVar("Input", contravariant=True)
Output = TypeVar("Output", covariant=True)
GradOutput = TypeVar("GradOutput", contravariant=True)
GradInput = TypeVar("GradInput", covariant=True)

class Forward(Protocol[Input, Output]):
    """A module of this updateOutput."""

    def updateOutput(self, input: Input, /) -> Output: ...
    def forward(self, input: Input, /, *surplus: Any) -> Output: ...

class Backward(Protocol[Input, GradOutput, GradInput]):
    """A module of this updateGradInput."""

    gradInput: Any
    _puts_back: bool

    def updateGradInput(self, input: Input, gradOutput: GradOutput, /) -> GradInput: ...
    def accGradParameters(self, input: Any, gradOutput: Any, scale: Any, /) -> None: ...
    def _backpropagate(self, input: Any, gradOutput: Any, /) -> Any: ...
