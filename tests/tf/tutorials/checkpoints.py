"""Checkpoints of a module, and of a network with its optimizer, saved and restored."""

import os
import tempfile

import tensorflow as tf


class Net(tf.Module):
    def __init__(self):
        super().__init__()
        self.l1 = tf.Variable(tf.ones([1, 5]), name="w")
        self.b = tf.Variable(tf.zeros([5]))

    def __call__(self, x):
        return x @ self.l1 + self.b


def toy_dataset():
    inputs = tf.range(10.0)[:, None]
    labels = inputs * 5.0 + tf.range(5.0)[None, :]
    return tf.data.Dataset.from_tensor_slices({"x": inputs, "y": labels}).repeat().batch(2)


def train_step(net, example, optimizer):
    with tf.GradientTape() as tape:
        output = net(example["x"])
        loss = tf.reduce_mean(tf.abs(output - example["y"]))
    variables = net.trainable_variables
    gradients = tape.gradient(loss, variables)
    optimizer.apply_gradients(zip(gradients, variables))
    return loss


d = tempfile.mkdtemp()
opt = tf.keras.optimizers.Adam(0.1)
dataset = toy_dataset()
iterator = iter(dataset)
net = Net()
ckpt = tf.train.Checkpoint(step=tf.Variable(1), net=net)
manager = tf.train.CheckpointManager(ckpt, d, max_to_keep=3)


def train_and_checkpoint(net, manager):
    ckpt.restore(manager.latest_checkpoint)
    if manager.latest_checkpoint:
        print(f"Restored from {os.path.basename(manager.latest_checkpoint)}")
    else:
        print("Initializing from scratch.")
    for _ in range(20):
        example = next(iterator)
        loss = train_step(net, example, opt)
        ckpt.step.assign_add(1)
        if int(ckpt.step) % 10 == 0:
            save_path = manager.save()
            print(f"Saved checkpoint for step {int(ckpt.step)}: {os.path.basename(save_path)}")
            print(f"loss {loss.numpy():1.2f}")


train_and_checkpoint(net, manager)
before = net.l1.numpy()
net = Net()
ckpt = tf.train.Checkpoint(step=tf.Variable(1), net=net)
manager = tf.train.CheckpointManager(ckpt, d, max_to_keep=3)
v = tf.Variable(3.0)
c = tf.train.Checkpoint(v=v)
path = c.save(os.path.join(d, "other"))
print(os.path.basename(path))
v.assign(7.0)
c.restore(path)
print(v)
status = tf.train.Checkpoint(w=tf.Variable(1.0)).restore(path)
try:
    status.assert_consumed()
except AssertionError:
    print("not all")
net = tf.keras.Sequential(
    [tf.keras.layers.Input((2,)), tf.keras.layers.Dense(2, kernel_initializer="ones")]
)
opt = tf.keras.optimizers.Adam(0.1)


def step(net, opt):
    with tf.GradientTape() as tape:
        l = tf.reduce_mean(net(tf.ones([3, 2])) ** 2)
    opt.apply_gradients(zip(tape.gradient(l, net.trainable_variables), net.trainable_variables))
    return l


for _ in range(3):
    step(net, opt)
ck = tf.train.Checkpoint(net=net, opt=opt, lst=[tf.Variable(1.0), {"a": tf.Variable(2.0)}])
pp = ck.save(os.path.join(d, "k"))
a = [float(step(net, opt)) for _ in range(3)]
print(a)
ck.restore(pp).assert_consumed()
a = [float(step(net, opt)) for _ in range(3)]
print(a, opt.iterations.numpy())
net2 = tf.keras.Sequential([tf.keras.layers.Input((2,)), tf.keras.layers.Dense(2)])
opt2 = tf.keras.optimizers.Adam(0.1)
tf.train.Checkpoint(net=net2, opt=opt2).restore(pp).expect_partial()
a = [float(step(net2, opt2)) for _ in range(3)]
print(a)
m = tf.keras.models.Sequential([tf.keras.layers.Dense(2)])
print(tf.train.latest_checkpoint("/nonexistent"))
ema = tf.train.ExponentialMovingAverage(decay=0.9)
v = tf.Variable(1.0)
ema.apply([v])
_ = v.assign(2.0)
ema.apply([v])
print(ema.average(v))
