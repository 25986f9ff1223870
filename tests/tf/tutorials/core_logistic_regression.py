"""Core API: logistic regression with a module, a data set and an export module."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(1)
X = rng.standard_normal((40, 3)).astype(np.float32) * [1.0, 5.0, 0.1] + [0, 2, 3]
Y = (X[:, 0] + 0.1 * X[:, 1] > 0.2).astype(np.int64)
x_train, y_train = (
    tf.convert_to_tensor(X[:30], dtype=tf.float32),
    tf.convert_to_tensor(Y[:30], dtype=tf.float32),
)
x_test, y_test = (
    tf.convert_to_tensor(X[30:], dtype=tf.float32),
    tf.convert_to_tensor(Y[30:], dtype=tf.float32),
)


class Normalize(tf.Module):
    def __init__(self, x):
        self.mean = tf.Variable(tf.math.reduce_mean(x, axis=0))
        self.std = tf.Variable(tf.math.reduce_std(x, axis=0))

    def norm(self, x):
        return (x - self.mean) / self.std

    def unnorm(self, x):
        return (x * self.std) + self.mean


norm_x = Normalize(x_train)
x_train_norm, x_test_norm = norm_x.norm(x_train), norm_x.norm(x_test)
print(norm_x.mean, norm_x.std)


def log_loss(y_pred, y):
    ce = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=y_pred)
    return tf.reduce_mean(ce)


class LogisticRegression(tf.Module):
    def __init__(self):
        self.built = False

    def __call__(self, x, train=True):
        if not self.built:
            rand_w = tf.ones(shape=[x.shape[-1], 1]) * 0.1
            rand_b = tf.zeros(shape=[])
            self.w = tf.Variable(rand_w)
            self.b = tf.Variable(rand_b)
            self.built = True
        z = tf.add(tf.matmul(x, self.w), self.b)
        z = tf.squeeze(z, axis=1)
        if train:
            return z
        return tf.sigmoid(z)


log_reg = LogisticRegression()
y_pred = log_reg(x_train_norm[:5], train=False)
print(y_pred.numpy())


def predict_class(y_pred, thresh=0.5):
    return tf.cast(y_pred > thresh, tf.float32)


def accuracy(y_pred, y):
    y_pred = tf.math.sigmoid(y_pred)
    y_pred_class = predict_class(y_pred)
    check_equal = tf.cast(y_pred_class == y, tf.float32)
    return tf.reduce_mean(check_equal)


train_dataset = tf.data.Dataset.from_tensor_slices((x_train_norm, y_train)).batch(8)
test_dataset = tf.data.Dataset.from_tensor_slices((x_test_norm, y_test)).batch(8)
for epoch in range(5):
    bl, ba = [], []
    for x_batch, y_batch in train_dataset:
        with tf.GradientTape() as tape:
            y_pred_batch = log_reg(x_batch)
            batch_loss = log_loss(y_pred_batch, y_batch)
        batch_acc = accuracy(y_pred_batch, y_batch)
        grads = tape.gradient(batch_loss, log_reg.variables)
        for g, v in zip(grads, log_reg.variables):
            v.assign_sub(0.1 * g)
        bl.append(batch_loss)
        ba.append(batch_acc)
    print(
        f"Epoch: {epoch}, Training log loss: {tf.reduce_mean(bl):.3f} acc {tf.reduce_mean(ba):.3f}"
    )
print(log_reg.variables)
cm = tf.math.confusion_matrix(y_test, predict_class(log_reg(x_test_norm, train=False)))
print(cm)


class ExportModule(tf.Module):
    def __init__(self, model, norm_x, class_pred):
        self.model = model
        self.norm_x = norm_x
        self.class_pred = class_pred

    @tf.function(input_signature=[tf.TensorSpec(shape=[None, None], dtype=tf.float32)])
    def __call__(self, x):
        x = self.norm_x.norm(x)
        y = self.model(x, train=False)
        y = self.class_pred(y)
        return y


m = ExportModule(model=log_reg, norm_x=norm_x, class_pred=predict_class)
print(m(x_test))
print(len(m.variables), len(m.submodules), [v.shape for v in m.trainable_variables])
