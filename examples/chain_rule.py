"""The chain rule: a network is trained to double its input, with one weight and four steps.

The two traces of "What is backpropagation" (part 10 of a series on PyTorch, in Chinese, 2022),
whose programs use NumPy alone and print the same digits. The loss is s^2 with s = y_hat - y, and
y_hat = w x, so that

    dloss/dw = dloss/ds ds/dy_hat dy_hat/dw = 2 s * 1 * x

Data and gradients are float32, but w is a Python float, float64, as in the original.

    python examples/chain_rule.py
"""

import numpy as np

import torchlite as nn


def column(*numbers):
    return np.array(numbers, np.float32).reshape(-1, 1)


# The original takes the mean of the squares as the loss, but the gradient of their sum. With one
# sample they are the same.
mean = nn.MSECriterion(True)
total = nn.MSECriterion(False)
layer = nn.Linear(1, 1, bias=False).float()


def train(x, y, epochs=10, lr=0.01):
    w = 0.0
    print("Start Training...")
    for epoch in range(1, epochs + 1):
        # (1) Forward pass
        layer.weight[:] = w
        y_hat = layer.forward(x)
        loss = mean.forward(y_hat, y)

        # (2) Local gradient: 2 s * 1
        dloss_dy_hat = total.backward(y_hat, y)

        # (3) Backpropagation: times x
        layer.zeroGradParameters()
        layer.accGradParameters(x, dloss_dy_hat)
        dw = layer.gradWeight.item()

        # (4) Weight update
        w -= lr * dw
        print(f"epoch: {epoch}, loss: {loss:.8f}, w: {w:.3f}, dw: {dw:.3f}")


print("One sample: x = 2, y = 4. At first s = -4 and dloss/dw = 2 * -4 * 1 * 2 = -16.")
train(column(2), column(4))

# The text says x = 2, 4, 6, 8 and y = 4, 8, 12, 16, but its printed numbers are those of these.
print("\nFour samples: x = 1, 2, 3, 4 and y = 2 x.")
train(column(1, 2, 3, 4), column(2, 4, 6, 8))
