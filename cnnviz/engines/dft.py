"""How far a correlation by discrete Fourier transforms in float64 may be off.

A transform of n points in stages of 2, 3, 4 or 5 points, a stage of r points counted as log2(r)
of them, is off by ``eps = t * eta / (1 - t * eta)`` in the 2-norm: t = log2(n) stages, each with
the relative error ``eta`` of a product by a root of unity and of a butterfly (Higham, *Accuracy
and Stability of Numerical Algorithms*, 2nd ed., theorem 24.2, for stages of 2 points).

A correlation multiplies two such transforms, and transforms back. By Cauchy and Schwarz the
products' moduli add up to at most ``n * |w| * |x|`` (2-norms), and each value of the inverse is
a sum of all products over n, so that the relative errors of both factors, of the product and of
the inverse end up in every value as that share of ``|w| * |x|``:
``(1 + eps)**3 * (1 + 4u) - 1``, with 4u for a complex product (sqrt(2) * gamma_2, Higham, lemma
3.5) and the division by n.
"""

from __future__ import annotations

import math
import sys

UNIT_ROUNDOFF = sys.float_info.epsilon / 2

# A library may compute its roots of unity one from another, as OpenCV does where it was built
# without IPP (DFTInit in modules/core/src/dxt.cpp): each of n / 2 steps adds the error of the
# first root (3u) and of a complex product (2.83u), in the end less than 3u * n.
ROOTS = 3

# Additions and constants, in units of u. The butterfly of 5 points, 2.3 stages, has 16 operations
# before each output, on numbers of at most 1.6 times the inputs' sum; with sqrt(2) for complex
# numbers and sqrt(5) from that sum to the 2-norm they are 81u, less than 2.3 * 64u.
BUTTERFLY = 64


def correlation_error(weights_norm: float, peak: float, lengths: tuple[int, int]) -> float:
    """How far any value of one block may be off, before it is rounded to another format.

    ``weights_norm`` is the 2-norm of the weights, ``peak`` the largest |pixel|, ``lengths`` the
    block's rows and columns (at most), with what the kernel needs around it.
    """
    stages = sum(math.log2(length) for length in lengths)
    spread = stages * (ROOTS * max(lengths) + BUTTERFLY) * UNIT_ROUNDOFF
    eps = spread / (1 - spread)
    share = math.expm1(3 * math.log1p(eps) + math.log1p(4 * UNIT_ROUNDOFF))
    # What is below the smallest normal number may be flushed to 0, in every stage.
    underflow = 3 * stages * math.prod(lengths) * sys.float_info.min
    return share * weights_norm * peak * math.sqrt(math.prod(lengths)) + underflow


def is_safe(weights_norm: float, peak: float, lengths: tuple[int, int]) -> bool:
    """Whether no product of transforms can overflow; never where ``peak`` is NaN or infinite."""
    return bool(weights_norm * peak * math.prod(lengths) ** 1.5 < sys.float_info.max)
