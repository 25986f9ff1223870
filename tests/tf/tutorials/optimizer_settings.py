"""Optimizers and schedules as settings, running means of weights, and gathered gradients."""

import numpy as np
import tensorflow as tf

optimizers, schedules = tf.keras.optimizers, tf.keras.optimizers.schedules

for schedule in (
    schedules.ExponentialDecay(0.1, 10, 0.9, staircase=True),
    schedules.InverseTimeDecay(0.1, 10, 0.4),
    schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2, 0.3]),
    schedules.PolynomialDecay(0.1, 10, power=2.0),
    schedules.CosineDecay(0.1, 10, warmup_target=0.2, warmup_steps=2),
    schedules.CosineDecayRestarts(0.1, 10),
):
    config = schedule.get_config()
    again = type(schedule).from_config(config)
    print(config, float(again(7)) == float(schedule(7)), schedules.serialize(again)["class_name"])

for optimizer in (
    optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    optimizers.Adam(clipnorm=1.0),
    optimizers.AdamW(0.01),
    optimizers.RMSprop(centered=True, name="root"),
    optimizers.Adagrad(0.5),
    optimizers.Adadelta(),
    optimizers.Lion(weight_decay=0.1),
):
    config = optimizer.get_config()
    again = type(optimizer).from_config(config)
    print(
        {key: value for key, value in config.items() if key != "name"}, again.learning_rate.numpy()
    )
optimizer = optimizers.get({"class_name": "Adam", "config": {"learning_rate": 0.25}})
print(type(optimizer).__name__, optimizer.learning_rate.numpy())
optimizer = optimizers.SGD(schedules.ExponentialDecay(0.1, 10, 0.9))
again = optimizers.deserialize(optimizers.serialize(optimizer))
print(float(again.learning_rate), again.get_config()["learning_rate"]["config"])


def descend(optimizer, steps):
    w = tf.Variable([1.0, 2.0])
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(w**2)
        optimizer.apply_gradients([(tape.gradient(loss, w), w)])
        print(w.numpy(), int(optimizer.iterations))
    return w


ema = optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9)
w = descend(ema, 3)
ema.finalize_variable_values([w])
print(w.numpy())
descend(optimizers.Adam(0.1, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2), 5)
descend(optimizers.Adam(0.1, gradient_accumulation_steps=2, clipnorm=1.0), 5)
model = tf.keras.Sequential(
    [tf.keras.Input((2,)), tf.keras.layers.Dense(1, kernel_initializer="ones")]
)
model.compile(optimizers.SGD(0.1, use_ema=True, ema_momentum=0.8), "mse")
x = np.arange(8.0).reshape(4, 2) / 8
print(model.fit(x, x[:, :1], batch_size=2, epochs=3, shuffle=False, verbose=0).history)
print(model.get_weights())
