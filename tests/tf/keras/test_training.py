"""`compile`, `fit`, `evaluate` and `predict`, held against TensorFlow 2.21's numbers and keys."""

import json
from pathlib import Path

import numpy as np
import pytest
from tf import trainings
from tf.trainings import WEIGHTS, YES, X, Y, line, one_layer

from tapemagic import tf
from tapemagic.errors import TapeUseError

keras = tf.keras
#: written down from TensorFlow 2.21 by trainings.py
REFERENCE = json.loads(
    Path(trainings.__file__).with_name("training_reference.json").read_text("utf-8")
)


def check(found, expected, path=""):
    """Compare nested structures: words and order exactly, floats to the rounding of float32."""
    if isinstance(expected, float):
        assert found == pytest.approx(expected, rel=2e-5, abs=2e-6), path
    elif isinstance(expected, dict):
        assert list(found) == list(expected), path
        for key in expected:
            check(found[key], expected[key], f"{path}/{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), path
        for i, pair in enumerate(zip(found, expected, strict=True)):
            check(*pair, f"{path}/{i}")
    else:
        assert found == expected, path


@pytest.mark.parametrize("training", trainings.TRAININGS, ids=lambda training: training.__name__)
def test_numbers_are_tensorflows(training):
    check(training(tf), REFERENCE[training.__name__])


def test_the_basic_guide():
    """The end of "Basic training loops": a model of two variables, against the formulas."""

    class Line(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.w, self.b = tf.Variable(5.0), tf.Variable(0.0)

        def call(self, x):
            return self.w * x + self.b

    x = np.linspace(-2, 2, 201)
    y = 3 * x + 2
    model = Line()
    model.compile(
        run_eagerly=False, optimizer=keras.optimizers.SGD(learning_rate=0.1),
        loss=keras.losses.mean_squared_error,
    )  # fmt: skip
    history = model.fit(tf.constant(x, tf.float32), y, epochs=10, batch_size=1000, verbose=0)
    w, b, losses = 5.0, 0.0, []
    for _ in range(10):
        error = w * x + b - y
        losses.append(np.mean(error**2))
        w, b = w - 0.1 * np.mean(2 * error * x), b - 0.1 * np.mean(2 * error)
    assert history.history == {"loss": pytest.approx(losses, rel=1e-5)}
    assert (model.w.numpy(), model.b.numpy()) == pytest.approx((w, b), rel=1e-5)


def test_words_of_keras_2():
    """With `compiled_loss` and `compiled_metrics` the loss is the loss.

    TensorFlow 2.21 puts the mean of the predictions in its place; weights and metrics agree.
    """

    class Old(keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
            variables = self.trainable_variables
            self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
            self.compiled_metrics.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

    found = []
    for model_class in (Old, keras.Model):
        model = one_layer(tf, model_class, kernel_regularizer="l2")
        model.compile(optimizer="adam", loss="mse", metrics=["mae"])
        history = model.fit(X, Y, epochs=2, batch_size=8, shuffle=False, verbose=0)
        found.append((history.history, model.get_weights()[0].tolist()))
    assert found[0] == found[1]


def test_shuffling():
    """Each epoch has all examples in another order; with a seed, the same on each run."""
    seen = []

    class Watching(keras.Model):
        def train_step(self, data):
            seen.append(data[0].numpy()[:, 0].tolist())
            assert np.array_equal(data[0].numpy()[:, 0] * 2, data[1].numpy())
            return {"loss": 0.0}

    def train():
        seen.clear()
        keras.utils.set_random_seed(3)
        model = one_layer(tf, Watching)
        model.compile()
        model.fit(X, X[:, 0] * 2, epochs=2, batch_size=8, verbose=0)
        return [np.concatenate(seen[i : i + 3]).tolist() for i in (0, 3)]

    first, second = train()
    assert first != second
    assert sorted(first) == sorted(second) == sorted(X[:, 0].tolist())
    assert train() == [first, second]


def test_what_is_printed(capsys):
    model = line(tf)
    model.compile("sgd", "mse", metrics=["mae"])
    losses = [model.evaluate(X, Y, verbose=0)]
    model.fit(X, Y, epochs=2, batch_size=8, shuffle=False, validation_data=(X, Y), verbose=0)
    capsys.readouterr()
    model = line(tf)
    model.compile("sgd", "mse", metrics=["mae"])
    bar = "━" * 20
    history = model.fit(X, Y, epochs=2, batch_size=8, shuffle=False, validation_data=(X, Y))
    expected = []
    for epoch in range(2):
        numbers = [f"{name}: {values[epoch]:.4f}" for name, values in history.history.items()]
        expected += [f"Epoch {epoch + 1}/2", " - ".join([f"3/3 {bar}", *numbers])]
    assert capsys.readouterr().out.splitlines() == expected
    losses = model.evaluate(X, Y, batch_size=8)
    model.evaluate(X, Y, verbose=2)
    model.predict(X)
    model.fit(X, Y * 0 + model.predict(X, verbose=0), verbose=2)  # without a loss
    data = tf.data.Dataset.from_tensor_slices((X, Y)).filter(lambda x, y: True).batch(8)
    model.evaluate(data, verbose=2)
    numbers = f"loss: {losses[0]:.4f} - mae: {losses[1]:.4f}"
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [f"3/3 {bar} - {numbers}", f"1/1 - {numbers}", f"1/1 {bar}"]
    assert lines[3] == "1/1 - loss: 0.0000e+00 - mae: 0.0000e+00"
    assert lines[4].startswith("3/3 - loss: ")


def test_callbacks_of_functions():
    model, heard = line(tf), []
    model.compile("sgd", "mse")

    class Ending(keras.callbacks.Callback):
        def on_batch_end(self, batch, logs=None):
            heard.append((batch, self.params["steps"]))
            self.model.stop_training = batch == 1

    by_function = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: heard.append((epoch, list(logs)))
    )
    model.fit(X, Y, epochs=3, batch_size=5, verbose=0, callbacks=[by_function, Ending()])
    assert heard == [(0, 4), (1, 4), (0, ["loss"])]
    with pytest.raises(TapeUseError, match="'on_lunch'"):
        keras.callbacks.LambdaCallback(on_lunch=print)
    with pytest.raises(TapeUseError, match="holds a function"):
        model.fit(X, Y, verbose=0, callbacks=[lambda: None])


def test_early_stopping_knows_what_is_better(capsys):
    model = line(tf, activation="sigmoid")
    own = keras.metrics.Mean(name="own")
    model.compile("sgd", "bce", metrics=["acc", "mse", keras.metrics.Precision(name="p")])
    model.fit(X, YES, verbose=0, callbacks=[])
    rises = {}
    for name in ("loss", "val_loss", "acc", "val_mse", "p"):
        early = keras.callbacks.EarlyStopping(name)
        early.set_model(model)
        rises[name] = early._rises()
    assert rises == {"loss": False, "val_loss": False, "acc": True, "val_mse": False, "p": True}
    model.own = own
    for name in ("own", "height"):
        early = keras.callbacks.EarlyStopping(name)
        early.set_model(model)
        with pytest.raises(TapeUseError, match="mode='max'"):
            early._rises()
    early = keras.callbacks.EarlyStopping("height", mode="max")
    with pytest.warns(UserWarning, match="acc, loss, mse, own, p are"):
        model.fit(X, YES, verbose=0, callbacks=[early])
    early = keras.callbacks.EarlyStopping(
        "loss", min_delta=10, restore_best_weights=True, verbose=1
    )
    model.fit(X, YES, epochs=9, verbose=0, callbacks=[early])
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 2: early stopping",
        "Restoring model weights from the end of the best epoch: 1.",
    ]


def test_weights_that_are_not_trained():
    model = line(tf)
    model.compile("sgd", "mse")
    model.layers[0].trainable = False
    before = model.get_weights()
    model.fit(X, Y, epochs=1, verbose=0)
    moved = [not np.array_equal(*pair) for pair in zip(before, model.get_weights(), strict=True)]
    assert moved == [False, False, True, True]
    model.trainable = False
    with pytest.warns(UserWarning, match="no weights to be trained"):
        model.fit(X, Y, epochs=1, verbose=0)


def test_training_and_prediction_differ():
    """Dropout is at work in training only, and a normalization keeps its running means then."""
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]
    )
    model.compile("sgd", "mse")
    mean = model.layers[0].moving_mean
    assert np.allclose(model.predict(X, verbose=0), X, atol=1e-2)
    model.evaluate(X, X, verbose=0)
    assert np.array_equal(mean.numpy(), [0, 0, 0])
    model.fit(X, X, verbose=0)
    assert np.allclose(mean.numpy(), 0.01 * X.mean(axis=0), rtol=1e-4)


def test_a_loss_of_ones_own():
    """`compute_loss` without `training`, as before Keras 3.3; a metric in an attribute is told."""

    class Own(keras.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.largest = keras.metrics.Mean(name="largest")

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            self.largest.update_state(tf.reduce_max(y_pred))
            return tf.reduce_sum(tf.square(y - y_pred))

    model = one_layer(tf, Own)
    model.compile("sgd")
    found = model.evaluate(X, Y, verbose=0, return_dict=True)
    said = X.sum(axis=1, keepdims=True)
    assert found == pytest.approx(
        {"largest": said.max(), "loss": np.sum((Y - said) ** 2)}, rel=1e-5
    )


def test_data_sets_and_arrays_are_one():
    """Data of float64, single arrays, dicts, and batches without labels."""
    model = line(tf)
    expected = model.predict(X, verbose=0)
    data = tf.data.Dataset.from_tensor_slices(X.astype(float)).batch(7)
    for x in (X.astype(float), tf.constant(X), data, data.map(lambda x: (x, x))):
        found = model.predict(x, verbose=0)
        assert type(found) is np.ndarray
        assert np.allclose(found, expected, rtol=1e-5)
    assert np.allclose(model.predict_on_batch(X.astype(float)), expected, rtol=1e-5)


def compiled(*args, **kwargs):
    model = line(tf)
    model.compile(*args, **kwargs)
    return model


MODEL = compiled("sgd", "mse")
BARE = line(tf)


def two(*, is_named=False, **options):
    """Return a model of two outputs, compiled."""
    a = keras.Input((3,))
    b, c = (keras.layers.Dense(1, name=name)(a) for name in "bc")
    model = keras.Model(a, {"b": b, "c": c} if is_named else [b, c])
    model.compile("sgd", "mse", **options)
    return model


UNREPEATED = tf.data.Dataset.from_tensor_slices((X, Y)).batch(10)


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda: BARE.fit(X, Y), "was not compiled"),
        (lambda: BARE.evaluate(X, Y), "was not compiled"),
        (lambda: BARE.train_on_batch(X, Y), "was not compiled"),
        (lambda: line(tf).compile("sgd", "mse", steps_per_execution=2), "eagerly"),
        (lambda: line(tf).compile("sgd", "mse", jit_compile=True), "eagerly"),
        (lambda: compiled("sgd", "msee").fit(X, Y), "No loss is called 'msee'"),
        (lambda: compiled("sgd", "mse", metrics=["maee"]).fit(X, Y), "No metric is called 'maee'"),
        (lambda: compiled("sgd").fit(X, Y), "has no loss"),
        (lambda: compiled("sgd", ["mse", "mae"]).fit(X, Y), "does not fit 1 outputs"),
        (lambda: compiled("sgd", {"a": "mse"}).fit(X, Y), "does not fit 1 outputs"),
        (lambda: MODEL.fit(X, Y, class_weight={0: 1.0}, sample_weight=Y), "sample_weight="),
        (lambda: MODEL.train_on_batch(X, class_weight={0: 1.0}), "sample_weight="),
        (lambda: MODEL.fit(x for x in [X]), r"Yield a tuple: \(x,\)"),
        (lambda: MODEL.fit([1.0, 2.0], Y), "takes arrays"),
        (lambda: MODEL.fit((x for x in [X]), Y), "from_generator"),
        (lambda: MODEL.fit(X[:0], Y[:0]), "no batch"),
        (lambda: MODEL.predict(UNREPEATED.take(0)), "no batch"),
        (lambda: MODEL.fit(X, Y[:5]), "different numbers of examples"),
        (lambda: MODEL.fit(X), "needs labels"),
        (lambda: two().fit(X, Y), "do not fit the model's 2 outputs: b, c"),
        (lambda: two().fit(X, {"b": Y, "d": Y}), "do not fit"),
        (lambda: two(metrics=["mae"]).fit(X, [Y, Y]), "metrics=.* does not fit 2 outputs: b, c"),
        (lambda: two(is_named=True).fit(X, [Y, Y]), "do not fit the model's 2 outputs: b, c"),
        (lambda: MODEL.fit(UNREPEATED, Y), "holds its labels"),
        (lambda: MODEL.fit(UNREPEATED.repeat()), "steps_per_epoch"),
        (lambda: MODEL.fit(UNREPEATED, validation_split=0.5), "data.take"),
        (lambda: MODEL.fit(X, Y, validation_split=0.99), "leaves none over"),
        (lambda: MODEL.fit(X, Y, validation_data=(X, Y, WEIGHTS, 1)), "and not 4"),
    ],
)
def test_what_is_refused(use, words):
    with pytest.raises(TapeUseError, match=words):
        use()
