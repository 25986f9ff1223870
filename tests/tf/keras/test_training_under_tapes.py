"""Training and connecting layers while a tape is open: the tape records neither."""

import copy
import threading

import numpy as np
import pytest
from tf.trainings import X, Y, one_layer

import tapemagic
from tapemagic import tf
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.unrecorded import unrecorded
from tapemagic.errors import TapeStateError

keras = tf.keras
OPTIONS = {"epochs": 2, "batch_size": 8, "shuffle": False, "verbose": 0}


def compiled():
    model = one_layer(tf, keras.Model)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


@pytest.fixture
def apart():
    """Return a model that was trained without a tape around."""
    model = compiled()
    model.fit(X, Y, **OPTIONS)
    return model


def operations(tape):
    return [node.op for node in tape.graph.nodes if node.op != "source"]


def test_weights_are_trained_and_count_from_there_on(apart):
    model, x = compiled(), tf.constant(X)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        before = tf.reduce_sum(model(x))
        with pytest.warns(UserWarning, match=r"does not follow fit\(\)"):
            model.fit(x, Y, **OPTIONS)
        after = tf.reduce_sum(model(x) ** 2)
    for w, expected in zip(model.get_weights(), apart.get_weights(), strict=True):
        assert np.array_equal(w, expected)
    assert len(operations(tape)) == 7  # of the two losses alone
    kernel, bias = apart.get_weights()
    said = X @ kernel + bias
    first, second = (tape.gradient(loss, model.trainable_weights[0]) for loss in (before, after))
    assert np.allclose(first[:, 0], X.sum(axis=0), rtol=1e-4)
    assert np.allclose(second, 2 * X.T @ said, rtol=1e-4)
    assert np.allclose(tape.gradient(after, x), 2 * said @ kernel.T, rtol=1e-4)


def test_what_training_has_cut():
    """The loss after the training depends on weights and data from before it, unseen: why says."""
    model, x = compiled(), tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        with pytest.warns(UserWarning, match="no gradient goes back through the training"):
            model.train_on_batch(x, Y)
        loss = tf.reduce_sum(model.trainable_weights[0])
    assert tape.gradient(loss, x) is None
    assert "cut by train_on_batch()" in tape.explain()


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("predict", lambda model, x: model.predict(x, verbose=0)),
        ("predict_on_batch", lambda model, x: model.predict_on_batch(x)),
        ("evaluate", lambda model, x: model.evaluate(x, Y, verbose=0)),
        ("test_on_batch", lambda model, x: model.test_on_batch(x, Y)),
    ],
)
def test_plain_results_are_constants(name, use):
    model, x = compiled(), tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        with pytest.warns(UserWarning, match=rf"does not follow {name}\(\).*model\(x\)"):
            y = use(model, x)
        loss = tf.reduce_sum(y)
    assert tape.gradient(loss, x) is None
    assert f"cut by {name}()" in tape.explain()


def test_a_step_of_ones_own_under_a_tape(apart):
    """Its tape is the only one that records meanwhile, also where arrays are NumPy's."""

    class Own(keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = np.mean((self(x) - y) ** 2) + np.sum(np.zeros(3))
            variables = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            return {"loss": loss}

    model, scale = one_layer(tf, Own), np.array([2.0])
    model.compile(keras.optimizers.SGD(0.1))
    with tapemagic.GradientTape() as tape:
        tape.watch(scale)
        with pytest.warns(UserWarning, match="does not follow"):
            model.fit(X * scale / 2, Y, **OPTIONS)
        loss = np.sum(scale**2)
    for w, expected in zip(model.get_weights(), apart.get_weights(), strict=True):
        assert np.allclose(w, expected, rtol=1e-5)
    assert tape.gradient(loss, scale) == 4
    assert type(scale) is np.ndarray


def test_a_training_that_fails_leaves_the_tape_recording():
    model, x = compiled(), tf.Variable(2.0)
    with tf.GradientTape() as tape:
        with (
            pytest.warns(UserWarning, match="does not follow"),
            pytest.raises(ValueError, match="different numbers of examples"),
        ):
            model.fit(X, Y[:3], **OPTIONS)
        y = x**3
    assert tape.gradient(y, x).numpy() == 12


def test_a_tape_goes_on_after_one_inside_of_what_it_does_not_hear():
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        with unrecorded(), tf.GradientTape() as inner:
            y = x**2
        assert RECORDER.thread is not None  # other threads are still refused
        z = x**3
    assert inner.gradient(y, x).numpy() == 4
    assert tape.gradient(z, x).numpy() == 12
    assert operations(tape) == ["power"]
    assert (RECORDER.thread, RECORDER.tapes) == (None, [])


@pytest.mark.parametrize(
    "suspended", [lambda tape: unrecorded(), lambda tape: tape.stop_recording()]
)
def test_a_tape_does_not_go_on_while_another_thread_records(suspended):
    recording, done = threading.Event(), threading.Event()

    def record():
        with tf.GradientTape():
            recording.set()
            done.wait()

    other = threading.Thread(target=record)
    with tf.GradientTape() as tape:
        tape.watch(tf.constant(1.0))
        with pytest.raises(TapeStateError, match="Another thread"), suspended(tape):
            with tf.GradientTape():
                pass
            other.start()
            recording.wait()
        done.set()
        other.join()
    assert (RECORDER.thread, RECORDER.tapes) == (None, [])


def connect():
    inputs = keras.Input((3,))
    return keras.Model(inputs, keras.layers.Dense(1)(inputs * 2 - 1))


def stack():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "relu"),
                             keras.layers.Dense(1)])  # fmt: skip


def build():
    model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(1)])
    model.build((None, 3))
    return model


@pytest.mark.parametrize("make", [connect, stack, build])
def test_trials_with_zeros_are_not_recorded(make):
    """Layers are tried when they are connected: that is no operation of the user's."""
    with tf.GradientTape() as tape:
        model = make()
    assert operations(tape) == []
    assert tape.watched_variables() == ()
    with tf.GradientTape() as tape:
        model = make()
        y = tf.reduce_sum(model(X))
    with tf.GradientTape() as alone:
        z = tf.reduce_sum(model(X))
    assert operations(tape) == operations(alone) != []
    for g, expected in zip(
        tape.gradient(y, model.trainable_weights), alone.gradient(z, model.trainable_weights),
        strict=True,
    ):  # fmt: skip
        assert np.array_equal(g, expected)


def test_a_copy_of_an_optimizer_remembers_the_copies_of_its_variables():
    """A slider runs a cell again on copies: with the momentum that there was."""
    ends = []
    for copied in (False, True):
        v, optimizer = tf.Variable([1.0]), keras.optimizers.SGD(0.1, momentum=0.9)
        optimizer.apply([tf.constant([1.0])], [v])
        if copied:
            v, optimizer = copy.deepcopy((v, optimizer))
        optimizer.apply([tf.constant([1.0])], [v])
        ends.append(v.numpy().tolist())
    assert ends[0] == ends[1] == [pytest.approx(1 - 0.1 - 0.19)]
