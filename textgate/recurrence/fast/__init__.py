"""Faster loops for the stock cells and the GRU without leak, with gradients of their own.

A loop that the backend differentiates keeps what every step computed and adds up the weights'
gradients step by step. Four facts save most of that:

1. Of a step's results only the gates, the candidate and the states need to be kept; every
   derivative is a product of these (σ' = σ(1 − σ), tanh' = 1 − tanh²).
2. Going back, the loop has to carry dh and dc alone, and what it multiplies them with is known
   before it starts. The gradients of the weights and inputs are sums over steps of outer products
   with the pre-activations' gradients dz, so once all dz are there, each is one product for the
   whole sequence.
3. Once all h are known, the gates at all steps are functions of them and of the weights, one
   product for the whole sequence. So a gradient that arrives at the gates themselves (a loss on
   them) doesn't have to go through the loop, and costs nothing where there is none.
4. Steps wait for one another, and one is too small to be shared by two cores; sequences don't. So
   two loops go through half of a batch each, side by side (XLA would run them one by one).

Only TensorFlow has such loops so far; on JAX, whose compiler does much of this, the plain loop is
taken.
"""

import dataclasses

from textgate._backend import Tensor, backend
from textgate.recurrence._spec import Spec, Weights


def supports(spec: Spec) -> bool:
    """Whether the current backend has a faster loop for this cell."""
    return (
        backend().name == "tensorflow"
        and dataclasses.replace(spec, leak=True).is_plain
        and spec.cell.kind in ("lstm", "gru")
    )


def run(
    spec: Spec,
    x: Tensor,
    weights: Weights,
    states: list[Tensor],
    mask: Tensor | None,
    go_backwards: bool,
) -> tuple[dict[str, Tensor], list[Tensor]]:
    """Like `textgate.recurrence._plain.run`, faster."""
    from textgate.recurrence.fast import tensorflow_gru, tensorflow_lstm

    run = {"lstm": tensorflow_lstm.run, "gru": tensorflow_gru.run}[spec.cell.kind]
    return run(spec, x, weights, states, mask, go_backwards)
