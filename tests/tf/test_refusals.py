"""Shapes that do not fit are InvalidArgumentError, also where NumPy would make something of them."""

import numpy as np
import pytest

from tapemagic import tf

A, B = tf.ones((2, 3)), tf.ones((2, 4))
V = tf.ones(3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tf.reshape(A, (4, 2)), "with 6 values, but the requested shape has 8"),
        (lambda: tf.reshape(A, (4, -1)), "requested shape has a multiple of 4"),
        (lambda: tf.reshape(A, (-1, -1)), "Only one length may be -1"),
        (lambda: tf.einsum("ij,jk->ik", A), "is of 2 tensors, and 1"),
        (lambda: tf.einsum("ij->i", tf.ones((2, 3, 4))), "'ij' does not name the axes"),
        (lambda: tf.constant([1.0, 2.0, 3.0], shape=(2, 2)), "3 values cannot have the shape"),
        (lambda: A + B, r"add of \(2, 3\) and \(2, 4\): operands could not be broadcast"),
        (lambda: tf.Variable(A) * B, r"multiply of \(2, 3\) and \(2, 4\)"),
        (lambda: tf.maximum(A, B), r"maximum of \(2, 3\) and \(2, 4\)"),
        (lambda: A @ B, r"matmul of \(2, 3\) and \(2, 4\): Matrix size-incompatible"),
        (lambda: tf.matmul(A, B, transpose_b=True), "Matrix size-incompatible"),
        (lambda: tf.linalg.matvec(A, tf.ones(2)), "Matrix size-incompatible"),
        (lambda: tf.tensordot(A, B, 1), "tensordot of"),
        (lambda: tf.linalg.inv(A), "inv of"),
        (lambda: tf.linalg.inv(tf.zeros((2, 2))), "inv of .*Singular"),
        (lambda: tf.concat([A, B], 0), r"concat of \(2, 3\) and \(2, 4\)"),
        (lambda: tf.stack([A, B]), "stack of"),
        (lambda: tf.split(A, 2, axis=1), "split of"),
        (lambda: tf.transpose(A, [0]), "transpose of"),
        (lambda: tf.squeeze(A, 0), "squeeze of"),
        (lambda: tf.broadcast_to(A, (2, 4)), "broadcast_to of"),
        (lambda: tf.reduce_sum(A, axis=2), "reduce_sum of .*axis 2"),
        (lambda: tf.cumsum(A, axis=2), "cumsum of .*axis 2"),
        (lambda: tf.argmax(A, axis=2), "argmax of .*axis 2"),
        (lambda: tf.boolean_mask(V, [True]), "boolean_mask of"),
        (lambda: tf.where([True, False], A, A), r"where of \(2, 3\)"),
        # here NumPy would go on, with something else than was meant
        (lambda: tf.tile(A, [2]), "takes 2 multiples"),
        (lambda: tf.pad(A, [[1, 1]]), "a pair per axis"),
        (lambda: tf.slice(V, [1], [5]), r"from \[1\] of size \[5\]"),
        (lambda: tf.slice(V, [-1], [1]), r"from \[-1\]"),
        (lambda: tf.slice(V, [1], [-2]), r"of size \[-2\]"),
        (lambda: tf.unstack(V, num=2), "unstack into 2"),
        (lambda: tf.gather_nd(V, [[0, 5]]), "Indices of 2 numbers"),
        (lambda: tf.add_n([A, tf.ones((1, 3))]), "add_n of shapes"),
        (lambda: tf.einsum("ij,jk->ik", A, tf.ones((1, 4))), "'j' is of length 3 and of 1"),
        (lambda: tf.nn.bias_add(A, A), "bias_add of shapes"),
        (lambda: tf.nn.bias_add(A, tf.ones(1)), "bias_add of shapes"),
        (lambda: tf.nn.sparse_softmax_cross_entropy_with_logits([0, 1], tf.ones((3, 2))),
         r"Labels of shape \(2,\) for logits of shape \(3, 2\)"),
        (lambda: tf.nn.sigmoid_cross_entropy_with_logits(V, V[:, tf.newaxis]), "the same shape"),
        (lambda: tf.nn.weighted_cross_entropy_with_logits(V, V[:, tf.newaxis], 2.0),
         "the same shape"),
        (lambda: tf.nn.softmax_cross_entropy_with_logits(A, B), "multiply of"),
        (lambda: tf.keras.losses.CategoricalCrossentropy()(A, tf.ones((2, 1))), "Labels of shape"),
        (lambda: tf.keras.losses.BinaryCrossentropy()(A, tf.ones((2, 1))), "Labels of shape"),
        (lambda: tf.keras.metrics.MeanSquaredError()(A, B), "Labels of shape"),
        (lambda: tf.keras.metrics.SparseCategoricalAccuracy()([1, 2, 3], A), "Labels of shape"),
    ],
)  # fmt: skip
def test_shapes_that_do_not_fit(call, words):
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        call()


def test_errors_of_the_program_pass_through():
    def fails(x):
        raise ValueError("of the user")

    with pytest.raises(ValueError, match="of the user"):
        tf.map_fn(fails, V)


LABELS, COLUMN = np.array([1.0, 0.0, 1.0]), np.array([[0.9], [0.2], [0.4]])
WEIGHTS = np.array([1.0, 2.0, 5.0])
SQUARES = (LABELS - COLUMN[:, 0]) ** 2
ENTROPY = -np.log([0.9, 0.8, 0.4])


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (tf.keras.losses.MeanSquaredError(), SQUARES),
        (tf.keras.losses.MeanAbsoluteError(), np.sqrt(SQUARES)),
        (tf.keras.losses.BinaryCrossentropy(), ENTROPY),
    ],
)
@pytest.mark.parametrize("shape", [(3,), (3, 1)])
@pytest.mark.parametrize("other", [(3,), (3, 1)])
def test_a_last_axis_of_one_is_not_broadcast_in_losses(loss, expected, shape, other):
    y_true, y_pred = LABELS.reshape(shape), COLUMN.reshape(other)
    assert loss(y_true, y_pred).numpy() == pytest.approx(expected.mean())
    if other == (3, 1):
        for weights in (WEIGHTS, WEIGHTS[:, None]):
            weighted = loss(y_true, y_pred, sample_weight=weights)
            assert weighted.numpy() == pytest.approx((expected * WEIGHTS).mean())


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (tf.keras.metrics.MeanSquaredError, SQUARES),
        (tf.keras.metrics.MeanAbsoluteError, np.sqrt(SQUARES)),
        (tf.keras.metrics.BinaryAccuracy, np.array([1.0, 1.0, 0.0])),
    ],
)
@pytest.mark.parametrize("shape", [(3,), (3, 1)])
@pytest.mark.parametrize("other", [(3,), (3, 1)])
def test_a_last_axis_of_one_is_not_broadcast_in_metrics(metric, expected, shape, other):
    y_true, y_pred = LABELS.reshape(shape), COLUMN.reshape(other)
    assert metric()(y_true, y_pred).numpy() == pytest.approx(expected.mean())
    for weights in (WEIGHTS, WEIGHTS[:, None]):
        found = metric()(y_true, y_pred, sample_weight=weights).numpy()
        assert found == pytest.approx((expected * WEIGHTS).sum() / 8)


def test_weights_of_rows_in_metrics():
    y_true, y_pred = np.zeros((2, 2)), np.array([[1.0, 3.0], [2.0, 0.0]])
    found = tf.keras.metrics.MeanSquaredError()(y_true, y_pred, sample_weight=[1.0, 3.0])
    assert found.numpy() == (5 * 1 + 2 * 3) / 4
    mean = tf.keras.metrics.Mean()
    assert mean([[1.0, 3.0], [4.0, 6.0]], sample_weight=[1.0, 3.0]).numpy() == (2 * 1 + 5 * 3) / 4


def test_accuracy():
    accuracy = tf.keras.metrics.Accuracy()
    accuracy.update_state(tf.constant([1, 2, 3], tf.int64), [[1], [0], [3]])
    assert accuracy([0], [0]).numpy() == 0.75


PAIR = tf.Variable([1.0, 2.0])


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda: tf.constant([[1, 2], [3]]), "non-rectangular Python sequence"),
        (lambda: tf.convert_to_tensor([PAIR, 1.0]), r"must match: \(2,\), \(\)"),
        (lambda: tf.gather(PAIR, [0.0]), "whole number, not float64"),
        (
            lambda: tf.while_loop(lambda i: i < 3, lambda i: i + 1, 0),
            "'loop_vars' must be provided",
        ),
        (lambda: tf.cond(True, 1.0, 2.0), "cond takes functions, and was given a float"),
        (lambda: tf.reshape(tf.ones(6), [4, -1]), "requires a multiple of 4"),
        (lambda: tf.keras.optimizers.SGD(lr=0.1), "lr=0.1.\n(?s:.)*Use learning_rate"),
        (lambda: tf.keras.optimizers.Adam(0.1, decay=0.1), "InverseTimeDecay"),
        (lambda: tf.keras.optimizers.Adam(0.1, loss_scale_factor=2.0), "loss_scale_factor=2.0"),
        (
            lambda: tf.keras.optimizers.SGD().apply_gradients([(PAIR, [PAIR])]),
            "a gradient and a variable, and not of a gradient and a list",
        ),
        (lambda: tf.keras.backend.set_floatx("int32"), "Unknown `floatx` value: int32"),
        (
            lambda: tf.image.extract_patches(PAIR, *[[1, 1, 1, 1]] * 3, "VALID"),
            "extract_patches of a",
        ),
        (lambda: tf.random.log_uniform_candidate_sampler([[1]], 1, 9, True, 5), "9 different ones"),
        (lambda: tf.GradientTape().gradient(PAIR, tf.Module()), "and not a Module"),
        (lambda: tf.signal.dct(PAIR, type=1), "dct with type=1"),
        (
            lambda: tf.nn.ctc_loss([[1, 1]], tf.zeros((2, 1, 3)), [2], [2]),
            "labels of series 0 need 3 steps, and it has 2",
        ),
        (lambda: tf.SparseTensor([[0, 2]], [1.0], [2, 2]), r"outside of its shape \(2, 2\)"),
        (lambda: tf.SparseTensor([[0, 1]], [1.0, 2.0], [2, 2]), r"values of shape \(2,\)"),
        (
            lambda: tf.sparse.sparse_dense_matmul(tf.sparse.eye(2), tf.ones((3, 1))),
            "Matrix size-incompatible",
        ),
        (
            lambda: tf.keras.metrics.MeanIoU(2).update_state([0], [1], sample_weight=[0.5]),
            'counts in whole numbers.\n(?s:.)*dtype="float32"',
        ),
        (lambda: tf.keras.metrics.MeanIoU(2).update_state([0], [2]), r"not in \[0, 2\)"),
        (lambda: tf.keras.metrics.AUC(multi_label=True), "one AUC for each label"),
        (lambda: tf.keras.layers.CenterCrop(4, 4)(tf.ones((1, 3, 5, 1))), "images of 3 x 5"),
        (lambda: tf.keras.optimizers.get({"class_name": "Ad", "config": {}}), "is called 'Ad'"),
    ],
)
def test_slips_of_learners_are_told_in_words(use, words):
    with pytest.raises(ValueError, match=words):
        use()


def test_settings_that_ask_for_nothing_are_taken():
    tf.keras.optimizers.Adam(0.1, use_ema=False, gradient_accumulation_steps=None)
