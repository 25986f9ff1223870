"""Metrics that count answers: under curves, at thresholds, of classes, and of segmentations."""

import numpy as np
import tensorflow as tf

metrics = tf.keras.metrics
rng = np.random.default_rng(0)
said = rng.uniform(size=40).astype("float32")
said[:3] = 0.0, 1.0, 0.5
truth = (said + rng.normal(size=40) * 0.3 > 0.5).astype("int32")
weights = rng.uniform(size=40)
logits = np.log(said[3:] / (1 - said[3:]))

for metric in (
    metrics.AUC(),
    metrics.AUC(curve="PR", name="prc"),
    metrics.AUC(num_thresholds=5, summation_method="minoring"),
    metrics.AUC(curve="PR", summation_method="majoring", thresholds=[0.2, 0.7]),
    metrics.PrecisionAtRecall(0.7),
    metrics.RecallAtPrecision(precision=0.8),
    metrics.SensitivityAtSpecificity(0.5),
    metrics.SpecificityAtSensitivity(sensitivity=0.5, num_thresholds=20),
    metrics.BinaryIoU(dtype="float32"),
    metrics.BinaryIoU(target_class_ids=[1], threshold=0.3, dtype="float32"),
):
    print(type(metric).__name__, float(metric.result()))
    metric.update_state(truth[:25], said[:25])
    print(float(metric.result()))
    metric.update_state(truth[25:], said[25:], sample_weight=weights[25:])
    print(float(metric.result()))
    metric.reset_state()
    metric.update_state(truth, said, sample_weight=weights)
    print(metric.result())
metric = metrics.AUC(from_logits=True)
metric.update_state(truth[3:], logits)
print(float(metric.result()))

classes = rng.integers(0, 3, size=(6, 2, 2))
guesses = np.where(rng.uniform(size=classes.shape) < 0.6, classes, 0)
rows, probable = np.eye(3)[classes], np.eye(3)[guesses] * 0.5 + 0.1
for metric, y_true, y_pred in (
    (metrics.MeanIoU(num_classes=3), classes, guesses),
    (metrics.MeanIoU(num_classes=4, ignore_class=0), classes, guesses),
    (metrics.IoU(num_classes=3, target_class_ids=[0, 2]), classes, guesses),
    (metrics.OneHotIoU(num_classes=3, target_class_ids=[1]), rows, probable),
    (metrics.OneHotMeanIoU(num_classes=3), rows, probable),
    (metrics.MeanIoU(num_classes=3, sparse_y_pred=False), classes, probable),
):
    metric.update_state(y_true, y_pred)
    metric.update_state(y_true[:2], y_pred[:2])
    print(type(metric).__name__, metric.result())
y_true = np.array([[1, 1, 1], [1, 0, 0], [1, 1, 0], [0, 0, 1]], np.float32)
y_pred = np.array([[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0], [0.0, 0.0, 0.0]], np.float32)
for options in ({}, {"average": "micro"}, {"average": "macro"}, {"average": "weighted"}):
    for threshold in (None, 0.5):
        one = metrics.F1Score(threshold=threshold, **options)
        two = metrics.FBetaScore(beta=2.0, threshold=threshold, **options)
        one.update_state(y_true, y_pred)
        two.update_state(y_true, y_pred, sample_weight=np.array([1.0, 2.0, 0.5, 1.0]))
        print(one.result(), two.result())
metric = metrics.R2Score()
metric.update_state(y_true, y_pred)
print(metric.result())

model = tf.keras.Sequential(
    [tf.keras.Input((2,)), tf.keras.layers.Dense(1, "sigmoid", kernel_initializer="ones")]
)
model.compile(
    "sgd",
    "binary_crossentropy",
    metrics=[metrics.AUC(name="auc"), metrics.AUC(name="prc", curve="PR")],
)
x = np.stack([said, said**2], axis=1) - 0.5
print(model.fit(x, truth, epochs=2, batch_size=8, shuffle=False, verbose=0).history)
stop = tf.keras.callbacks.EarlyStopping(monitor="prc", patience=1, restore_best_weights=True)
print(model.fit(x, truth, epochs=3, shuffle=False, verbose=0, callbacks=[stop]).epoch)
for options in ({}, {"thresholds": 0.3}, {"thresholds": [0.3, 0.7]}):
    for metric in (metrics.Precision(**options), metrics.Recall(**options)):
        metric.update_state(truth, said)
        metric.update_state(truth, said, sample_weight=weights)
        print(metric.result())
total = metrics.Sum()
total.update_state(y_pred, sample_weight=[1.0, 2.0, 0.5, 1.0])
print(total.result())
normalizer = tf.keras.layers.Normalization(axis=-1)
normalizer.adapt(y_pred)
print(normalizer.mean, normalizer.variance, normalizer(y_pred))
print([(v.name, v.shape, v.trainable) for v in normalizer.weights][:2], len(normalizer.weights))
channels = tf.keras.layers.Normalization(axis=1, mean=[0.0, 1.0, 2.0], variance=[1.0, 4.0, 9.0])
print(channels(y_pred[:3].reshape(1, 3, 3)))
whole = tf.keras.layers.Normalization(axis=None)
whole.adapt(tf.data.Dataset.from_tensor_slices((y_pred, y_true)).batch(3))
print(whole(y_pred), float(tf.squeeze(whole.mean)))
