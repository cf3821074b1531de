"""Vectors of many dimensions in two, so that one can see which are near each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

T_SNE, COMPONENTS = "neighbours stay neighbours (t-SNE)", "the greatest differences (principal components)"
"""The two ways, as they are chosen between."""
PERPLEXITY = 30.0
"""About so many neighbours of each vector stay its neighbours."""
MOST_DIMENSIONS = 50
"""Of vectors with more, the greatest differences are taken first: distances change little, and much noise is left out
(van der Maaten and Hinton 2008, section 4.2)."""


def plane(vectors: np.ndarray) -> tuple[np.ndarray, float]:
    """Vectors in the plane in which they differ most (principal component analysis, Pearson 1901).

    Args:
        vectors: [vectors, dimensions], two at least.

    Returns:
        [vectors, 2], and the share of the variance that is seen there, from 0 to 1.
    """
    found, variances = components(vectors, 2)
    total = float(variances.sum())
    return found, float(variances[:2].sum()) / total if total > 0 else 1.0


def components(vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first principal components.

    Args:
        vectors: [vectors, dimensions].
        count: How many; those that there are not are 0.

    Returns:
        [vectors, count], and the variance along each component that there is, the greatest first.
    """
    import numpy as np

    centred = vectors - vectors.mean(axis=0)
    left, scales, _ = np.linalg.svd(centred, full_matrices=False)
    found = np.zeros((len(vectors), count))
    there = min(count, len(scales))
    found[:, :there] = left[:, :there] * scales[:there]
    # The sign of a component means nothing; fixed so that the same vectors always lie on the same side.
    furthest = found[np.abs(found).argmax(axis=0), np.arange(count)]
    return found * np.where(furthest < 0, -1.0, 1.0), scales**2


def neighbour_map(vectors: np.ndarray) -> np.ndarray:
    """Vectors as a map on which neighbours stay neighbours, whatever becomes of long distances (t-SNE: van der Maaten
    and Hinton 2008, JMLR 9); the same vectors always give the same map.

    Args:
        vectors: [vectors, dimensions], four at least.

    Returns:
        [vectors, 2].
    """
    import numpy as np
    from sklearn.manifold import TSNE

    given = np.asarray(vectors, "float64")
    if given.shape[1] > MOST_DIMENSIONS:
        given, _ = components(given, MOST_DIMENSIONS)
    perplexity = min(PERPLEXITY, (len(given) - 1) / 3)
    begin = "pca" if given.shape[1] > 1 else "random"
    return TSNE(init=begin, perplexity=perplexity, random_state=0).fit_transform(given)


def nearest(vectors: np.ndarray, count: int) -> np.ndarray:
    """The numbers of the vectors that are nearest to each, itself left out, [vectors, count]; fewer where there are
    not so many."""
    import numpy as np

    squares = (vectors**2).sum(axis=1)
    distances = squares[:, None] + squares[None] - 2 * vectors @ vectors.T
    np.fill_diagonal(distances, np.inf)
    return distances.argsort(axis=1, kind="stable")[:, : min(count, len(vectors) - 1)]
