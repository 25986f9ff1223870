"""Trainings of small models, written for TensorFlow and for `tapemagic.tf` alike.

Weights begin at given numbers, and nothing is shuffled: both must come to the same. What TensorFlow
2.21 comes to is in training_reference.json; in an environment that has it, this writes the file:

    python tests/tf/trainings.py
"""

import numpy as np

ROWS = 20
DRAW = np.random.RandomState(0)
X = DRAW.randn(ROWS, 3).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5]]) + 0.3).astype("float32")
YES = (Y[:, 0] > 0).astype("int32")
CLASSES = (np.arange(ROWS) % 3).astype("int64")
WEIGHTS = np.linspace(0.1, 2, ROWS).astype("float32")


def line(tf, units=1, activation=None, regularizer=None):
    """Return a net of two layers."""
    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [
            tf.keras.Input((3,)),
            layers.Dense(4, activation="tanh", kernel_regularizer=regularizer),
            layers.Dense(units, activation=activation),
        ]
    )
    rng = np.random.RandomState(units)
    model.set_weights([rng.randn(*w.shape).astype("float32") for w in model.get_weights()])
    return model


def one_layer(tf, model_class, **options):
    """Return a model of one connected layer, of a class of the user's."""
    inputs = tf.keras.Input(shape=(3,))
    outputs = tf.keras.layers.Dense(1, kernel_initializer="ones", **options)(inputs)
    return model_class(inputs, outputs)


def told(model, history):
    """Return the keys of a history in order, its numbers, and the weights."""
    numbers = list(history.history.values())
    return [list(history.history), numbers, [np.ravel(w).tolist() for w in model.get_weights()]]


def regression(tf):
    model = line(tf)
    root = tf.keras.metrics.RootMeanSquaredError()
    model.compile(optimizer="adam", loss="mse", metrics=["mae", "mse", root])
    history = model.fit(
        X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0, validation_split=0.2
    )
    found = told(model, history)
    found += [history.epoch, history.params, model.metrics_names]
    found += [model.evaluate(X, Y, verbose=0, batch_size=7)]
    found += [model.evaluate(X, Y, verbose=0, return_dict=True)]
    found += [model.predict(X, batch_size=6, verbose=0).ravel().tolist()]
    found += [model.train_on_batch(X[:4], Y[:4])]
    found += [model.test_on_batch(X[:4], Y[:4], return_dict=True)]
    return [*found, model.predict_on_batch(X[:2]).ravel().tolist()]


def weights_of_examples(tf):
    model = line(tf, regularizer="l2")
    model.compile(
        optimizer=tf.keras.optimizers.SGD(0.1, momentum=0.9),
        loss=tf.keras.losses.MeanAbsoluteError(),
        metrics=["mse"],
        weighted_metrics=["mse", "mae"],
    )
    history = model.fit(
        X, Y, batch_size=6, epochs=2, shuffle=False, verbose=0, sample_weight=WEIGHTS,
        validation_data=(X[:5], Y[:5], WEIGHTS[:5]),
    )  # fmt: skip
    return [*told(model, history), model.evaluate(X, Y, sample_weight=WEIGHTS, verbose=0)]


def yes_or_no(tf):
    model = line(tf, activation="sigmoid")
    counts = [tf.keras.metrics.Precision(), tf.keras.metrics.Recall(name="found")]
    model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy", *counts])
    history = model.fit(X, YES, epochs=2, shuffle=False, verbose=0, validation_data=(X, YES))
    return told(model, history)


def data_sets(tf):
    found = []
    from_logits = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for loss, y, metrics in (
        (from_logits, CLASSES, ["accuracy"]),
        ("sparse_categorical_crossentropy", CLASSES, ["acc", "sparse_categorical_accuracy"]),
        ("categorical_crossentropy", np.eye(3)[CLASSES], ["accuracy"]),
    ):
        model = line(tf, 3, "softmax" if isinstance(loss, str) else None)
        model.compile(optimizer=tf.keras.optimizers.Adam(0.01), loss=loss, metrics=metrics)
        data = tf.data.Dataset.from_tensor_slices((X, y)).batch(8)
        history = model.fit(data, epochs=2, verbose=0, validation_data=data.take(1))
        found += told(model, history)
        found += [model.evaluate(data, verbose=0), model.predict(data, verbose=0).tolist()]
    return found


def steps(tf):
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)
    found = []
    for x, y, options in (
        (data.repeat(), None, {"steps_per_epoch": 3, "validation_data": data,
                               "validation_steps": 2}),
        (data, None, {"steps_per_epoch": 3}),
        (X, Y, {"steps_per_epoch": 4}),
        (data.filter(lambda x, y: True), None, {"initial_epoch": 1}),
        (X, Y, {"validation_split": 0.25, "validation_freq": 2, "validation_batch_size": 2}),
    ):  # fmt: skip
        model = line(tf)
        model.compile("sgd", "mse")
        found += told(model, model.fit(x, y, epochs=3, verbose=0, shuffle=False, **options))
    return found


def functions(tf):
    def loss(y, prediction):
        return tf.reduce_mean(tf.square(y - prediction), axis=-1)

    def metric(y, prediction):
        return tf.reduce_max(tf.abs(y - prediction), axis=-1)

    model = line(tf)
    model.compile(optimizer="sgd", loss=loss, metrics=[metric])
    return told(model, model.fit(X, Y, epochs=2, shuffle=False, verbose=0))


def train_step(tf):
    """The first example of "Customizing what happens in fit()", with weights of examples."""

    class CustomModel(tf.keras.Model):
        def train_step(self, data):
            x, y, *rest = data
            weights = rest[0] if rest else None
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(y=y, y_pred=y_pred, sample_weight=weights)
            variables = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred, sample_weight=weights)
            return {m.name: m.result() for m in self.metrics}

    found = []
    for weights in (None, WEIGHTS):
        model = one_layer(tf, CustomModel, kernel_regularizer="l1")
        model.compile(optimizer="adam", loss="mse", metrics=["mae"])
        history = model.fit(
            X, Y, sample_weight=weights, epochs=2, batch_size=8, shuffle=False, verbose=0
        )
        found += told(model, history)
    return found


def own_metrics(tf):
    """The guide's second example: a loss and metrics of its own, and `test_step`."""

    class CustomModel(tf.keras.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.loss_tracker = tf.keras.metrics.Mean(name="loss")
            self.mae_metric = tf.keras.metrics.MeanAbsoluteError(name="mae")
            self.loss_fn = tf.keras.losses.MeanSquaredError()

        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.loss_fn(y, y_pred)
            variables = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            self.loss_tracker.update_state(loss)
            self.mae_metric.update_state(y, y_pred)
            return {"loss": self.loss_tracker.result(), "mae": self.mae_metric.result()}

        def test_step(self, data):
            x, y = data
            y_pred = self(x, training=False)
            self.loss_tracker.update_state(self.loss_fn(y, y_pred))
            self.mae_metric.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

        @property
        def metrics(self):
            return [self.loss_tracker, self.mae_metric]

    model = one_layer(tf, CustomModel)
    model.compile(optimizer="adam")
    history = model.fit(
        X, Y, epochs=3, batch_size=8, shuffle=False, verbose=0, validation_data=(X, Y)
    )
    return [*told(model, history), model.evaluate(X, Y, verbose=0)]


def two_optimizers(tf):
    """The guide's GAN, small, with noise that is given."""
    layers = tf.keras.layers
    noise = tf.constant(np.random.RandomState(1).randn(ROWS, 2).astype("float32"))

    class GAN(tf.keras.Model):
        def __init__(self, discriminator, generator):
            super().__init__()
            self.discriminator, self.generator = discriminator, generator
            self.d_loss_tracker = tf.keras.metrics.Mean(name="d_loss")
            self.g_loss_tracker = tf.keras.metrics.Mean(name="g_loss")
            self.built = True

        @property
        def metrics(self):
            return [self.d_loss_tracker, self.g_loss_tracker]

        def compile(self, d_optimizer, g_optimizer, loss_fn):
            super().compile()
            self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer
            self.loss_fn = loss_fn

        def train_step(self, real):
            count = tf.shape(real)[0]
            both = tf.concat([self.generator(noise[:count]), real], axis=0)
            labels = tf.concat([tf.ones((count, 1)), tf.zeros((count, 1))], axis=0)
            with tf.GradientTape() as tape:
                d_loss = self.loss_fn(labels, self.discriminator(both))
            weights = self.discriminator.trainable_weights
            self.d_optimizer.apply(tape.gradient(d_loss, weights), weights)
            with tf.GradientTape() as tape:
                predictions = self.discriminator(self.generator(noise[:count]))
                g_loss = self.loss_fn(tf.zeros((count, 1)), predictions)
            weights = self.generator.trainable_weights
            self.g_optimizer.apply(tape.gradient(g_loss, weights), weights)
            self.d_loss_tracker.update_state(d_loss)
            self.g_loss_tracker.update_state(g_loss)
            return {m.name: m.result() for m in self.metrics}

    generator = tf.keras.Sequential(
        [tf.keras.Input((2,)), layers.Dense(3, kernel_initializer="ones", activation="tanh")]
    )
    gan = GAN(line(tf), generator)
    gan.compile(
        d_optimizer=tf.keras.optimizers.Adam(learning_rate=0.01),
        g_optimizer=tf.keras.optimizers.Adam(learning_rate=0.02),
        loss_fn=tf.keras.losses.BinaryCrossentropy(from_logits=True),
    )
    data = tf.data.Dataset.from_tensor_slices(X).batch(8)
    return told(gan, gan.fit(data.take(2), epochs=2, verbose=0))


def added_losses(tf):
    class Penalty(tf.keras.layers.Layer):
        def call(self, x):
            self.add_loss(0.01 * tf.reduce_sum(tf.square(x)))
            return x

    class Net(tf.keras.Model):
        def __init__(self):
            super().__init__()
            options = {"kernel_initializer": "ones"}
            self.first = tf.keras.layers.Dense(2, activity_regularizer="l1", **options)
            self.penalty = Penalty()
            self.last = tf.keras.layers.Dense(1, bias_regularizer="l2", **options)

        def call(self, x, training=None):
            return self.last(self.penalty(self.first(x)))

    model, alone = Net(), Net()
    model.compile(optimizer="sgd", loss="mse")
    options = {"epochs": 2, "batch_size": 8, "shuffle": False, "verbose": 0}
    found = told(model, model.fit(X, Y, validation_data=(X, Y), **options))
    alone.compile(optimizer="sgd")
    return found + told(alone, alone.fit(X, **options))


def several_outputs(tf):
    layers = tf.keras.layers
    a, b = tf.keras.Input((3,), name="a"), tf.keras.Input((1,), name="b")
    hidden = layers.Dense(2, kernel_initializer="ones", activation="tanh")(a)
    hidden = layers.Concatenate()([hidden, b])
    p = layers.Dense(1, name="p", kernel_initializer="ones")(hidden)
    q = layers.Dense(3, name="q", kernel_initializer="ones")(hidden)
    from_logits = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    # The loss of each output is a mean over examples. In a graph TensorFlow does not know how many
    # there are in a batch, and takes the mean over batches.
    common = {"optimizer": "sgd", "run_eagerly": True}
    options = {"epochs": 2, "batch_size": 8, "shuffle": False, "verbose": 0}

    model = tf.keras.Model([a, b], [p, q])
    start = model.get_weights()
    model.compile(
        loss={"p": "mse", "q": from_logits}, loss_weights={"p": 0.5, "q": 2.0},
        metrics={"p": ["mae"], "q": ["accuracy"]}, **common,
    )  # fmt: skip
    found = told(model, model.fit({"a": X, "b": Y}, {"p": Y, "q": CLASSES}, **options))
    found += [model.evaluate([X, Y], [Y, CLASSES], verbose=0)]
    found += [[x.tolist() for x in model.predict([X, Y], verbose=0)]]

    model = tf.keras.Model([a, b], [p, q])
    model.set_weights(start)
    model.compile(loss=["mse", from_logits], metrics=[["mae", "mse"], ["accuracy"]], **common)
    found += told(model, model.fit([X, Y], [Y, CLASSES], sample_weight=WEIGHTS, **options))

    model = tf.keras.Model([a, b], {"one": p, "two": p})
    model.compile(loss="mse", metrics={"one": "mae"}, **common)
    return found + told(model, model.fit([X, Y], {"one": Y, "two": Y}, **options))


def stopping(tf):
    options = {"epochs": 20, "batch_size": 5, "shuffle": False, "verbose": 0}
    model = line(tf)
    model.compile(tf.keras.optimizers.SGD(0.05), loss="mse")
    early = tf.keras.callbacks.EarlyStopping(
        "loss", min_delta=0.2, patience=2, restore_best_weights=True
    )
    history = model.fit(X, Y, callbacks=[early], **options)
    found = [*told(model, history), history.epoch, early.stopped_epoch, early.best_epoch]
    model = line(tf, activation="sigmoid")
    model.compile(tf.keras.optimizers.SGD(0.5), loss="bce", metrics=["accuracy"])
    early = tf.keras.callbacks.EarlyStopping(
        "val_accuracy", patience=1, min_delta=0.01, baseline=0.5
    )
    history = model.fit(X, YES, callbacks=early, validation_split=0.25, **options)
    return [*found, *told(model, history), history.epoch, early.wait]


def moments(tf):
    """What a callback hears, and when."""
    heard = []

    def hearing(name):
        def hear(self, *args, logs=None):
            *numbers, logs = args if args and not isinstance(args[-1], int) else (*args, logs)
            logs = [key for key in logs or {} if key != "outputs"]
            heard.append([name, *numbers, *logs])

        return hear

    names = [
        f"on_{kind}{part}_{end}"
        for kind in ("train", "test", "predict")
        for part in ("", "_batch")
        for end in ("begin", "end")
    ]
    names += ["on_epoch_begin", "on_epoch_end"]
    listener = type("Listener", (tf.keras.callbacks.Callback,), {n: hearing(n) for n in names})
    model = line(tf)
    model.compile("sgd", "mse", metrics=["mae"])
    model.fit(
        X, Y, epochs=2, batch_size=10, verbose=0, validation_data=(X, Y), validation_freq=2,
        callbacks=[listener()],
    )  # fmt: skip
    model.evaluate(X, Y, verbose=0, callbacks=[listener()], batch_size=10)
    model.predict(X, verbose=0, callbacks=[listener()], batch_size=10)
    return heard


IDS = np.array([[1, 2, 0], [3, 0, 0], [2, 1, 4], [0, 1, 2], [0, 0, 0]])
SERIES = np.random.RandomState(1).randn(4, 3, 2).astype("float32")
SERIES[0, 2] = SERIES[1, 1:] = SERIES[2, 0, 0] = 0


def masked(tf):
    """What layers make of series of which not every step counts, and of their masks."""
    layers, found = tf.keras.layers, []
    cells = layers.SimpleRNN, layers.GRU, layers.LSTM
    every = {"return_sequences": True}
    options = [{}, every, {"go_backwards": True}, {"zero_output_for_mask": True}]
    options += [{"return_state": True, **every}, {"zero_output_for_mask": True, **every}]
    stacks = [[cell(2, **some)] for cell in cells for some in options]
    stacks += [
        [layers.Bidirectional(layers.GRU(2, **some), merge_mode=mode)]
        for some in ({}, every)
        for mode in ("concat", "sum", None)
    ]
    kept = [layers.Dropout(0.5), layers.Dense(2, "tanh"), layers.LayerNormalization()]
    stacks += [
        [layers.LSTM(2, **every), *kept, layers.LSTM(1)],
        [layers.GlobalAveragePooling1D()],
        [layers.TimeDistributed(layers.Dense(2))],
        [layers.Lambda(lambda x: x * 2), layers.LSTM(1)],
    ]

    def tell(results):
        for y in results if isinstance(results, (list, tuple)) else [results]:
            mask = getattr(y, "_keras_mask", None)
            found.append([y.numpy().tolist(), None if mask is None else mask.numpy().tolist()])

    def filled(model, example):
        model(example)
        rng = np.random.RandomState(4)
        model.set_weights([rng.randn(*w.shape).astype("float32") for w in model.get_weights()])
        return model

    for stack in stacks:
        first = layers.Embedding(5, 2, mask_zero=True)
        tell(filled(tf.keras.Sequential([first, *stack]), IDS[:4])(IDS[:4]))
    for value in (0.0, SERIES[3, 1, 0]):
        model = tf.keras.Sequential([layers.Masking(value), layers.SimpleRNN(2, **every)])
        tell(filled(model, SERIES)(SERIES))
    tell(filled(layers.LSTM(2, **every), SERIES)(SERIES, mask=tf.constant(IDS[:4] > 0)))

    inputs = tf.keras.Input((3,), dtype="int64")
    one = layers.Embedding(5, 2, mask_zero=True)(inputs)
    two = layers.Add()([one, layers.Dense(2)(one)])
    three = layers.Attention()([two, one])
    outputs = [two, three, layers.LSTM(2)(three)]
    tell(filled(tf.keras.Model(inputs, outputs), IDS[:4])(IDS[:4]))
    return found


def masks_in_layers(tf):
    """Softmax and mean and variance of what counts; `Dot` counts everything."""
    layers, found = tf.keras.layers, []
    x = tf.Variable(SERIES)
    counts = IDS[:4] > 0

    def tell(layer, inputs, **options):
        with tf.GradientTape() as tape:
            y = layer(inputs(x) if callable(inputs) else inputs, **options)
            loss = tf.reduce_sum(tf.sin(3 * y) + y**3)
        mask = getattr(y, "_keras_mask", None)
        sources = [x, *layer.trainable_weights]
        gradients = [g.numpy().tolist() for g in tape.gradient(loss, sources)]
        found.append([y.numpy().tolist(), gradients, mask is None or mask.numpy().tolist()])

    tell(layers.Softmax(), x, mask=tf.constant(SERIES > -0.5))
    tell(layers.Softmax(axis=1), x, mask=tf.constant(counts[..., None]))
    tell(layers.Softmax(axis=1), lambda x: x[..., 0], mask=tf.constant(counts))
    tell(layers.Softmax(), layers.Masking(), mask=tf.constant([[0.4, 0.6]]))
    for options in ({}, {"training": True}, {"training": False}):
        batch = layers.BatchNormalization(momentum=0.5)
        tell(batch, layers.Masking(), **options)
        tell(batch, x, mask=tf.constant(counts), **options)
        found += [w.numpy().tolist() for w in batch.weights]
    tell(layers.Dot((1, 1)), lambda x: [layers.Masking()(x), layers.Masking()(x)])
    tell(layers.Dot((2, 2), normalize=True), lambda x: [layers.Masking()(x), x + 1])

    first = layers.Embedding(5, 2, mask_zero=True, embeddings_initializer="ones")
    stack = [first, layers.BatchNormalization(), layers.LSTM(2, kernel_initializer="ones")]
    model = tf.keras.Sequential(stack)
    model(IDS)
    rng = np.random.RandomState(3)
    model.set_weights([rng.rand(*w.shape).astype("float32") for w in model.get_weights()])
    model.compile("sgd", "mse")
    y = rng.rand(5, 2).astype("float32")
    found += told(model, model.fit(IDS, y, epochs=2, batch_size=3, shuffle=False, verbose=0))
    return found


def rates(tf):
    """Precision and recall of the largest of a row, and of one class."""
    found, rng = [], np.random.RandomState(6)
    truth = (rng.rand(6, 4) > 0.5).astype("float32")
    said = rng.rand(6, 4).round(1).astype("float32")
    for metric in (tf.keras.metrics.Precision, tf.keras.metrics.Recall):
        for options in (
            {"top_k": 2}, {"top_k": 1, "class_id": 1}, {"class_id": 3}, {"top_k": 3, "thresholds": 0.4},
            {"top_k": 2, "thresholds": [0.1, 0.5, 0.8]}, {"thresholds": [0.2, 0.6], "class_id": 0},
        ):  # fmt: skip
            one = metric(**options)
            for rows in (slice(2), slice(2, 6)):
                one.update_state(truth[rows], said[rows])
                found.append(one.result().numpy().tolist())
            one.reset_state()
            weights = np.linspace(0.5, 2, 6) if "class_id" in options else WEIGHTS[:6, None]
            one.update_state(truth, said, sample_weight=weights)
            found.append(one.result().numpy().tolist())
        found.append(metric(None, 2)(truth, said).numpy().tolist())
    return found


def means(tf):
    """Metrics of batches whose examples are of several numbers, with weights and without."""
    metrics, found = tf.keras.metrics, []
    one, two, three = X[:4], X[4:8, :2], np.stack([X[:2], X[2:4]])
    batches = [
        [(one, None), (two, None)], [(one, None), (np.float32(5), None)], [(three, None), (one, None)],
        [(one, WEIGHTS[:4]), (two, None)], [(one, WEIGHTS[:4, None]), (two, None)],
        [(one, X[4:8] ** 2), (two, None)], [(one, 0.5), (two, None)], [(three, X[:2, :2] ** 2)],
        [(three, WEIGHTS[:2]), (np.float32(3), 2.0)], [(X[:3, 0], WEIGHTS[:3]), (one, None)],
    ]  # fmt: skip
    for batch in batches:
        for metric in (metrics.Mean(), metrics.Sum()):
            for values, weights in batch:
                metric.update_state(values, sample_weight=weights)
            found.append(float(metric.result()))
        for metric in (metrics.RootMeanSquaredError(), metrics.MeanSquaredError()):
            for values, weights in batch:
                if np.ndim(values) > np.ndim(weights) and np.ndim(values):
                    metric.update_state(values * 0, values, sample_weight=weights)
            found.append(float(metric.result()))
    return found


def ignored_classes(tf):
    """Losses of pixels of which some are of a class that does not count."""
    found, rng = [], np.random.RandomState(8)
    labels, said = rng.randint(0, 4, (2, 3, 2)), rng.randn(2, 3, 2, 3).astype("float32")
    labels[labels == 3] = 255
    for reduction in ("sum_over_batch_size", "sum", "none", "mean_with_sample_weight"):
        for from_logits in (True, False):
            loss = tf.keras.losses.SparseCategoricalCrossentropy(
                from_logits=from_logits, ignore_class=255, reduction=reduction
            )
            for y in (labels, labels[..., None]):
                for weights in (None, WEIGHTS[:12].reshape(2, 3, 2), WEIGHTS[:2, None, None]):
                    x = tf.Variable(said if from_logits else np.abs(said) + 0.1)
                    with tf.GradientTape() as tape:
                        total = loss(tf.constant(y), x * 1, sample_weight=weights)
                    found += [total.numpy().tolist(), tape.gradient(total, x).numpy().tolist()]
    model = tf.keras.Sequential([tf.keras.Input((3, 2, 3)), tf.keras.layers.Dense(3)])
    model.set_weights([rng.randn(3, 3).astype("float32"), np.zeros(3)])
    model.compile("sgd", tf.keras.losses.SparseCategoricalCrossentropy(True, ignore_class=255))
    return found + told(model, model.fit(said, labels, epochs=2, verbose=0, shuffle=False))


def masked_losses(tf):
    layers, losses, found = tf.keras.layers, tf.keras.losses, []
    y = np.random.RandomState(2).randn(5, 3, 1).astype("float32")
    weights = np.linspace(0.5, 2, 15).reshape(5, 3).astype("float32")

    def net(units, activation=None):
        first = layers.Embedding(5, 2, mask_zero=True)
        last = layers.Dense(units, activation=activation)
        model = tf.keras.Sequential([first, layers.GRU(2, return_sequences=True), last])
        model(IDS)
        rng = np.random.RandomState(5)
        model.set_weights([rng.randn(*w.shape).astype("float32") for w in model.get_weights()])
        return model

    for reduction in ("sum_over_batch_size", "sum", "none", "mean_with_sample_weight"):
        loss = losses.MeanSquaredError(reduction=reduction)
        found += [loss(y, net(1)(IDS)).numpy().tolist()]
        found += [loss(y, net(1)(IDS), weights).numpy().tolist()]
    for some in (None, weights):
        model = net(1)
        model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"])
        found += told(model, model.fit(
            IDS, y, batch_size=3, epochs=2, shuffle=False, verbose=0, sample_weight=some
        ))  # fmt: skip
    model = net(4, "softmax")
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return found + told(model, model.fit(IDS, IDS[::-1] % 4, epochs=2, shuffle=False, verbose=0))


TRAININGS = [
    regression, weights_of_examples, yes_or_no, data_sets, steps, functions, train_step,
    own_metrics, two_optimizers, added_losses, several_outputs, stopping, moments, masked,
    masks_in_layers, rates, means, ignored_classes, masked_losses,
]  # fmt: skip


if __name__ == "__main__":
    import json
    from pathlib import Path

    import tensorflow as tf

    about = f"What the functions of trainings.py return under TensorFlow {tf.__version__}."
    found = {training.__name__: training(tf) for training in TRAININGS}
    found = json.loads(json.dumps(found), parse_float=lambda text: float(f"{float(text):.7g}"))
    lines = [f'"{name}": {json.dumps(value)}' for name, value in {"about": about, **found}.items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    Path(__file__).with_name("training_reference.json").write_text(text, encoding="utf-8")
