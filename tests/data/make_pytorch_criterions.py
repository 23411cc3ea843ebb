"""Write pytorch_criterions.npz: losses and gradients that PyTorch computes.

    python tests/data/make_pytorch_criterions.py

The file that is kept was written with PyTorch 2.13. Of each case it has the arrays
"<case>/input" (or input.0 and input.1), "<case>/target", and for the reductions "mean" and "sum"
"<case>/mean" and "<case>/mean.gradInput" (or mean.gradInput.0 and .1).
"""

from pathlib import Path

import numpy as np


def main():
    import torch
    from torch.nn import functional

    weights = torch.tensor([1.0, 2.0, 0.5, 3.0], dtype=torch.float64)
    rng = np.random.default_rng(0)
    arrays = {}

    def keep(case, loss_of, inputs, target, reductions=("mean", "sum"), **options):
        """Run a loss with each reduction, and keep what it gives."""
        places = [""] if len(inputs) == 1 else [".0", ".1"]
        for place, input in zip(places, inputs, strict=True):
            arrays[f"{case}/input{place}"] = input
        arrays[f"{case}/target"] = target
        for reduction in reductions:
            tensors = [torch.tensor(input, requires_grad=True) for input in inputs]
            loss = loss_of(*tensors, torch.tensor(target), reduction=reduction, **options)
            loss.backward()
            arrays[f"{case}/{reduction}"] = loss.detach().numpy()
            for place, tensor in zip(places, tensors, strict=True):
                arrays[f"{case}/{reduction}.gradInput{place}"] = tensor.grad.numpy()

    def normal(*shape):
        return 2 * rng.normal(size=shape)

    def signs(*shape):
        return rng.choice([-1.0, 1.0], shape)

    x, y = normal(5, 4), normal(5, 4)
    classes = rng.integers(0, 4, 5)
    log_probabilities = torch.log_softmax(torch.tensor(x), 1).numpy()
    probabilities = torch.softmax(torch.tensor(y), 1).numpy()

    keep("MSECriterion", functional.mse_loss, [x], y)
    keep("AbsCriterion", functional.l1_loss, [x], y)
    keep("SmoothL1Criterion", functional.smooth_l1_loss, [x], y)
    keep("DistKLDivCriterion", functional.kl_div, [log_probabilities], probabilities)
    keep("SoftMarginCriterion", functional.soft_margin_loss, [x], signs(5, 4))
    keep(
        "HingeEmbeddingCriterion", functional.hinge_embedding_loss, [abs(x)], signs(5, 4), margin=2
    )

    # Torch7 and PyTorch keep the logarithm of 0 finite in different ways: none is near 0 or 1.
    interior, targets = rng.uniform(0.1, 0.9, (5, 4)), rng.uniform(0, 1, (5, 4))
    for weight in (None, weights):
        options = "" if weight is None else " weights"
        keep(
            f"BCECriterion{options}",
            functional.binary_cross_entropy,
            [interior],
            targets,
            weight=weight,
        )
        # PyTorch's "sum" is one over the samples only, of means over the labels.
        keep(
            f"MultiLabelSoftMarginCriterion{options}",
            functional.multilabel_soft_margin_loss,
            [x],
            targets.round(),
            reductions=["mean"],
            weight=weight,
        )
        keep(
            f"ClassNLLCriterion{options}",
            functional.nll_loss,
            [log_probabilities],
            classes,
            weight=weight,
        )
        keep(
            f"CrossEntropyCriterion{options}", functional.cross_entropy, [x], classes, weight=weight
        )
        for p in (1, 2):
            keep(
                f"MultiMarginCriterion{options} p={p}",
                functional.multi_margin_loss,
                [x],
                classes,
                p=p,
                margin=0.5,
                weight=weight,
            )
    keep(
        "ClassNLLCriterion ignored",
        functional.nll_loss,
        [log_probabilities],
        np.where(classes == classes[0], -100, classes),
        weight=weights,
    )
    keep(
        "SpatialClassNLLCriterion weights",
        functional.nll_loss,
        [-abs(normal(2, 4, 3, 2))],
        rng.integers(0, 4, (2, 3, 2)),
        weight=weights,
    )
    keep(
        "MultiLabelMarginCriterion",
        functional.multilabel_margin_loss,
        [x],
        np.array([[1, 3, -1, 0], [0, -1, -1, -1], [2, 0, 1, 3], [-1, 2, 2, 2], [3, 2, -1, 1]]),
    )
    keep("CosineEmbeddingCriterion", functional.cosine_embedding_loss, [x, y], signs(5), margin=0.1)
    keep(
        "MarginRankingCriterion",
        functional.margin_ranking_loss,
        [x[:, 0], y[:, 0]],
        signs(5),
        margin=0.5,
    )

    np.savez_compressed(Path(__file__).with_name("pytorch_criterions.npz"), **arrays)


if __name__ == "__main__":
    main()
