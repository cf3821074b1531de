"""Splits as `tf.data` pipelines, for loops of one's own. The core's loop gathers its batches by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

    from layerwise.data import Split


def pipeline(
    split: Split, batch_size: int, *, shuffle_seed: int | None = None, resident: bool = True
) -> tf.data.Dataset:
    """The examples of a split in batches, read ahead.

    Positions are shuffled and batched, and only then the examples gathered: a shuffle of single examples that
    moves no example but into its batch.

    Args:
        split: The examples.
        batch_size: Examples a batch; all of them when there are fewer.
        shuffle_seed: Shuffle, anew in each epoch, and leave the last, smaller batch out: what training wants.
            None keeps the order and every example: what evaluation wants.
        resident: Keep the examples as tensors in memory. Otherwise each batch is read from the split's arrays
            through NumPy, which is what memory-mapped files want.

    Returns:
        A dataset of (inputs [batch, ...], targets [batch, ...]), the inputs a dict when the split's are.

    Example:
        >>> from layerwise.data import Split
        >>> batches = pipeline(Split(np.eye(4), np.arange(4)), 3)
        >>> [targets.numpy().tolist() for _, targets in batches]
        [[0, 1, 2], [3]]
    """
    import tensorflow as tf

    count = len(split)
    positions = tf.data.Dataset.range(count)
    if shuffle_seed is not None:
        positions = positions.shuffle(count, seed=shuffle_seed, reshuffle_each_iteration=True)
    batches = positions.batch(min(batch_size, count), drop_remainder=shuffle_seed is not None)
    gather = _from_tensors(split) if resident else _from_arrays(split)
    return batches.map(gather, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(tf.data.AUTOTUNE)


def _from_tensors(split: Split) -> Any:
    import tensorflow as tf

    # tf.data works on the CPU; tensors on an accelerator would be copied back for each batch.
    with tf.device("CPU"):
        tensors = tf.nest.map_structure(lambda array: tf.constant(np.asarray(array)), (split.inputs, split.targets))
    return lambda positions: tf.nest.map_structure(lambda tensor: tf.gather(tensor, positions), tensors)


def _from_arrays(split: Split) -> Any:
    import tensorflow as tf

    structure = (split.inputs, split.targets)
    arrays = tf.nest.flatten(structure)

    def read(positions: np.ndarray) -> list[np.ndarray]:
        return [np.asarray(array[positions]) for array in arrays]

    def gather(positions: tf.Tensor) -> Any:
        batch = tf.numpy_function(read, [positions], [tf.as_dtype(array.dtype) for array in arrays], stateful=False)
        for array, part in zip(arrays, batch, strict=True):
            part.set_shape([positions.shape[0], *array.shape[1:]])
        return tf.nest.pack_sequence_as(structure, batch)

    return gather
