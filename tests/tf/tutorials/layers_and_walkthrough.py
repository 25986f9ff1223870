"""Customization: layers, training step by step, and a walk through training."""

import numpy as np
import tensorflow as tf


class MyDenseLayer(tf.keras.layers.Layer):
    def __init__(self, num_outputs):
        super().__init__()
        self.num_outputs = num_outputs

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel", initializer="ones", shape=[int(input_shape[-1]), self.num_outputs]
        )

    def call(self, inputs):
        return tf.matmul(inputs, self.kernel)


layer = MyDenseLayer(3)
_ = layer(tf.zeros([10, 5]))
print([var.name for var in layer.trainable_variables])


class ResnetIdentityBlock(tf.keras.Model):
    def __init__(self, kernel_size, filters):
        super().__init__(name="")
        filters1, filters2, filters3 = filters
        self.conv2a = tf.keras.layers.Conv2D(filters1, (1, 1), kernel_initializer="ones")
        self.bn2a = tf.keras.layers.BatchNormalization()
        self.conv2b = tf.keras.layers.Conv2D(
            filters2, kernel_size, padding="same", kernel_initializer="ones"
        )
        self.bn2b = tf.keras.layers.BatchNormalization()
        self.conv2c = tf.keras.layers.Conv2D(filters3, (1, 1), kernel_initializer="ones")
        self.bn2c = tf.keras.layers.BatchNormalization()

    def call(self, input_tensor, training=False):
        x = self.conv2a(input_tensor)
        x = self.bn2a(x, training=training)
        x = tf.nn.relu(x)
        x = self.conv2b(x)
        x = self.bn2b(x, training=training)
        x = tf.nn.relu(x)
        x = self.conv2c(x)
        x = self.bn2c(x, training=training)
        x += input_tensor
        return tf.nn.relu(x)


block = ResnetIdentityBlock(1, [1, 2, 3])
_ = block(tf.zeros([1, 2, 3, 3]))
print(len(block.layers), len(block.variables))
inputs = tf.reshape(tf.sin(tf.range(36.0)), [2, 2, 3, 3])
opt = tf.keras.optimizers.Adam(0.05)
for _ in range(3):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((block(inputs, training=True) - 1.0) ** 2)
    grads = tape.gradient(loss, block.trainable_variables)
    opt.apply_gradients(zip(grads, block.trainable_variables))
    print(float(loss), [float(tf.norm(g)) for g in grads][-4:])
print([float(tf.reduce_sum(v)) for v in block.non_trainable_variables])

my_seq = tf.keras.Sequential(
    [
        tf.keras.layers.Conv2D(1, (1, 1), input_shape=(None, None, 3)),
        tf.keras.layers.BatchNormalization(),
        tf.keras.layers.Conv2D(2, 1, padding="same"),
        tf.keras.layers.BatchNormalization(),
        tf.keras.layers.Conv2D(3, (1, 1)),
        tf.keras.layers.BatchNormalization(),
    ]
)
print(my_seq(tf.zeros([1, 2, 3, 3])).shape)

# the walk through: penguins of three kinds
rng = np.random.RandomState(0)
labels = np.arange(24) % 3
features = (rng.randn(24, 4) + 2 * labels[:, None]).astype("float32")
ds_train = tf.data.Dataset.from_tensor_slices((features, labels)).batch(8)
init = [tf.keras.initializers.Constant(rng.randn(*s)) for s in ((4, 10), (10, 10), (10, 3))]
model = tf.keras.Sequential(
    [
        tf.keras.layers.Dense(10, activation=tf.nn.relu, input_shape=(4,)),
        tf.keras.layers.Dense(10, activation=tf.nn.relu),
        tf.keras.layers.Dense(3),
    ]
)
draw = np.random.RandomState(1)
model.set_weights([0.3 * draw.randn(*w.shape) for w in model.get_weights()])
predictions = model(features)
print(tf.nn.softmax(predictions[:5]))
print(f"Prediction: {tf.math.argmax(predictions, axis=1)}")
print(f"    Labels: {labels}")
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def loss(model, x, y, training):
    y_ = model(x, training=training)
    return loss_object(y_true=y, y_pred=y_)


l = loss(model, features, labels, training=False)
print(f"Loss test: {l}")


def grad(model, inputs, targets):
    with tf.GradientTape() as tape:
        loss_value = loss(model, inputs, targets, training=True)
    return loss_value, tape.gradient(loss_value, model.trainable_variables)


optimizer = tf.keras.optimizers.SGD(learning_rate=0.01)
loss_value, grads = grad(model, features, labels)
print(f"Step: {optimizer.iterations.numpy()}, Initial Loss: {loss_value.numpy()}")
optimizer.apply_gradients(zip(grads, model.trainable_variables))
print(
    f"Step: {optimizer.iterations.numpy()},         "
    f"Loss: {loss(model, features, labels, training=True).numpy()}"
)
for epoch in range(4):
    epoch_loss_avg = tf.keras.metrics.Mean()
    epoch_accuracy = tf.keras.metrics.SparseCategoricalAccuracy()
    for x, y in ds_train:
        loss_value, grads = grad(model, x, y)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        epoch_loss_avg.update_state(loss_value)
        epoch_accuracy.update_state(y, model(x, training=True))
    print(
        f"Epoch {epoch:03d}: Loss: {epoch_loss_avg.result():.3f}, "
        f"Accuracy: {epoch_accuracy.result():.3%}"
    )
test_accuracy = tf.keras.metrics.Accuracy()
for x, y in ds_train:
    logits = model(x, training=False)
    prediction = tf.math.argmax(logits, axis=1, output_type=tf.int64)
    test_accuracy(prediction, y)
print(f"Test set accuracy: {test_accuracy.result():.3%}")
class_names = ["Adélie", "Chinstrap", "Gentoo"]
for i, logits in enumerate(model(features[:3], training=False)):
    class_idx = tf.math.argmax(logits).numpy()
    p = tf.nn.softmax(logits)[class_idx]
    print(f"Example {i} prediction: {class_names[class_idx]} ({100 * p:4.1f}%)")
