"""Weights of classes, data from generators, and learning rates that callbacks set."""

import numpy as np
import tensorflow as tf

layers, callbacks = tf.keras.layers, tf.keras.callbacks
rng = np.random.default_rng(0)
X = rng.normal(size=(24, 6)).astype("float32")
Y = (X[:, :1] > 0.5).astype("float32")
CLASSES = np.arange(24) % 3


def make_model(units=1, activation="sigmoid", loss="binary_crossentropy", **options):
    model = tf.keras.Sequential(
        [tf.keras.Input((6,)), layers.Dense(4, "relu"), layers.Dense(units, activation)]
    )
    for j, v in enumerate(model.weights):
        n = int(np.prod(v.shape))
        v.assign(np.sin(np.arange(n) * 1.7 + j).reshape(v.shape) * 0.3)
    model.compile(options.pop("optimizer", "adam"), loss, **options)
    return model


neg, pos = np.bincount(Y[:, 0].astype(int))
total = neg + pos
class_weight = {0: (1 / neg) * (total / 2.0), 1: (1 / pos) * (total / 2.0)}
print({label: f"{weight:.2f}" for label, weight in class_weight.items()})
model = make_model(metrics=["accuracy"], weighted_metrics=["mae"])
history = model.fit(
    X, Y, epochs=2, batch_size=5, shuffle=False, class_weight=class_weight, verbose=0,
    validation_split=0.25,
)  # fmt: skip
print(history.history)
weights = {0: 1.0, 1: 3.5, 2: 0.5}
for loss, labels in (("sparse_categorical", CLASSES), ("categorical", np.eye(3)[CLASSES])):
    model = make_model(3, "softmax", f"{loss}_crossentropy")
    print(model.train_on_batch(X, labels, class_weight=weights))
    data = tf.data.Dataset.from_tensor_slices((X, labels)).batch(7)
    print(model.fit(data, epochs=2, class_weight=weights, verbose=0).history)


def generator():
    while True:
        for i in range(3):
            yield X[8 * i : 8 * i + 8], Y[8 * i : 8 * i + 8]


class Batches(tf.keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, i):
        return X[8 * i : 8 * i + 8], Y[8 * i : 8 * i + 8], np.linspace(0, 1, 8)


model = make_model()
print(model.fit(generator(), steps_per_epoch=2, epochs=3, verbose=0).history)
print(model.fit(Batches(), epochs=2, shuffle=False, verbose=0).history)
print(model.evaluate(generator(), steps=3, verbose=0), model.predict(Batches(), verbose=0).shape)


def schedule(epoch, lr):
    return lr if epoch < 2 else lr * float(tf.math.exp(-0.1))


model = make_model(optimizer=tf.keras.optimizers.SGD(0.5))
scheduler = callbacks.LearningRateScheduler(schedule, verbose=1)
print(model.fit(X, Y, epochs=4, shuffle=False, verbose=0, callbacks=[scheduler]).history)
model = make_model(optimizer=tf.keras.optimizers.SGD(0.2), metrics=["mae"])
reduce_lr = callbacks.ReduceLROnPlateau(
    monitor="loss", factor=0.5, patience=2, min_delta=0.02, min_lr=0.01, verbose=1, cooldown=1
)
print(model.fit(X, Y, epochs=9, shuffle=False, verbose=0, callbacks=[reduce_lr]).history)
model = make_model(activation=None, loss="mse", optimizer=tf.keras.optimizers.SGD(1e30))
print(model.fit(X, Y, epochs=3, verbose=0, callbacks=[callbacks.TerminateOnNaN()]).epoch)


class Keys(tf.keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        print(f"Starting training; got log keys: {list(logs.keys())}")

    def on_epoch_begin(self, epoch, logs=None):
        print(f"Start epoch {epoch} of training; got log keys: {list(logs.keys())}")

    def on_train_batch_end(self, batch, logs=None):
        print(f"...Training: end of batch {batch}; got log keys: {list(logs.keys())}")

    def on_predict_end(self, logs=None):
        print(f"Stop predicting; got log keys: {list(logs.keys())}")


model = make_model()
model.fit(X, Y, batch_size=12, verbose=0, callbacks=[Keys()])
_ = model.predict(X, verbose=0, callbacks=[Keys()])
