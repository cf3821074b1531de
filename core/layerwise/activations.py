"""The activation functions of hidden layers: name, formula, initializer, and value and derivative in NumPy.

Keras computes the same functions by the same names; where a function has a kink, the derivative given here is the
one that TensorFlow takes. TensorFlow keeps the slope of leaky ReLU and the square root in GELU in float32 whatever the
dtype, so those two agree to 1e-6 only, the others to the last digits of float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_Elementwise = Callable[[np.ndarray], np.ndarray]

_LEAK = 0.2
# The fixed point of Klambauer et al. 2017 (arXiv:1706.02515), appendix A: mean 0 and variance 1 are kept.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946

# He et al. 2015 (arXiv:1502.01852) for functions that pass about half of their input; Glorot & Bengio 2010 for those
# with a straight middle and flat or no sides; LeCun et al. 1998, which the derivation of SELU assumes.
HE, GLOROT, LECUN = "he_normal", "glorot_uniform", "lecun_normal"


@dataclass(frozen=True, kw_only=True)
class Activation:
    """An activation function of a hidden layer.

    Args:
        name: The name by which Keras knows it.
        title: How the field writes it.
        formula: LaTeX, a function of x.
        initializer: The Keras initializer that keeps the size of signals and gradients through many layers of it.
        function: Its value for each element of an array of float64.
        derivative: Its derivative at each element.
    """

    name: str
    title: str
    formula: str
    initializer: str
    function: _Elementwise
    derivative: _Elementwise


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)) without overflow, accurate on both sides."""
    return np.exp(-np.logaddexp(0, -x))


def erf(x: np.ndarray) -> np.ndarray:
    """The error function of each element."""
    # NumPy has none. Imported late: SciPy's functions take half a second to load.
    from scipy import special

    return special.erf(x)


def _elu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def _elu_derivative(x: np.ndarray) -> np.ndarray:
    return np.exp(np.minimum(x, 0))  # 1 at 0


def _selu(x: np.ndarray) -> np.ndarray:
    return SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0)))


def _selu_derivative(x: np.ndarray) -> np.ndarray:
    # The slopes at 0 differ: scale on the right, which TensorFlow takes, scale * alpha on the left.
    return SELU_SCALE * np.where(x >= 0, 1.0, SELU_ALPHA * np.exp(np.minimum(x, 0)))


def _normal_cdf(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + erf(x / math.sqrt(2)))


def _gelu_derivative(x: np.ndarray) -> np.ndarray:
    return _normal_cdf(x) + x * np.exp(-0.5 * x**2) / math.sqrt(2 * math.pi)


def _silu_derivative(x: np.ndarray) -> np.ndarray:
    return sigmoid(x) * (1 + x * sigmoid(-x))


_ALL = (
    Activation(
        name="relu",
        title="ReLU",
        formula=r"\max(0, x)",
        initializer=HE,
        function=lambda x: np.maximum(x, 0),
        derivative=lambda x: np.where(x > 0, 1.0, 0.0),  # 0 at 0
    ),
    Activation(
        name="leaky_relu",
        title="leaky ReLU",
        formula=r"\begin{cases} x & x > 0 \\ 0.2\,x & x \le 0 \end{cases}",
        initializer=HE,
        function=lambda x: np.where(x > 0, x, _LEAK * x),
        derivative=lambda x: np.where(x > 0, 1.0, _LEAK),  # 0.2 at 0
    ),
    Activation(
        name="elu",
        title="ELU",
        formula=r"\begin{cases} x & x > 0 \\ e^x - 1 & x \le 0 \end{cases}",
        initializer=HE,
        function=_elu,
        derivative=_elu_derivative,
    ),
    Activation(
        name="selu",
        title="SELU",
        formula=r"\lambda \begin{cases} x & x > 0 \\ \alpha\,(e^x - 1) & x \le 0 \end{cases},"
        r"\quad \lambda \approx 1.0507,\ \alpha \approx 1.6733",
        initializer=LECUN,
        function=_selu,
        derivative=_selu_derivative,
    ),
    Activation(
        name="gelu",
        title="GELU",
        formula=r"\frac{x}{2} \left(1 + \operatorname{erf}\frac{x}{\sqrt{2}}\right)",
        initializer=HE,
        function=lambda x: x * _normal_cdf(x),
        derivative=_gelu_derivative,
    ),
    Activation(
        name="silu",
        title="SiLU",
        formula=r"\frac{x}{1 + e^{-x}}",
        initializer=HE,
        function=lambda x: x * sigmoid(x),
        derivative=_silu_derivative,
    ),
    Activation(
        name="softplus",
        title="softplus",
        formula=r"\ln(1 + e^x)",
        initializer=HE,
        function=lambda x: np.logaddexp(0, x),
        derivative=sigmoid,
    ),
    Activation(
        name="sigmoid",
        title="sigmoid",
        formula=r"\frac{1}{1 + e^{-x}}",
        initializer=GLOROT,
        function=sigmoid,
        derivative=lambda x: sigmoid(x) * sigmoid(-x),
    ),
    Activation(
        name="tanh",
        title="tanh",
        formula=r"\frac{e^x - e^{-x}}{e^x + e^{-x}}",
        initializer=GLOROT,
        function=np.tanh,
        derivative=lambda x: 1 - np.tanh(x) ** 2,
    ),
    Activation(
        name="softsign",
        title="softsign",
        formula=r"\frac{x}{1 + |x|}",
        initializer=GLOROT,
        function=lambda x: x / (1 + np.abs(x)),
        derivative=lambda x: (1 + np.abs(x)) ** -2,
    ),
    Activation(
        name="linear",
        title="linear",
        formula="x",
        initializer=GLOROT,
        function=lambda x: x,
        derivative=np.ones_like,
    ),
)

ACTIVATIONS: dict[str, Activation] = {activation.name: activation for activation in _ALL}
"""Every activation that a hidden layer can have, by name."""
