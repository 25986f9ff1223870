"""Guides: the basics, training loops with a module and with Keras, modules and layers."""

import tensorflow as tf

x = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
print(x, x.shape, x.dtype)
print(5 * x, x @ tf.transpose(x), tf.concat([x, x, x], axis=0), tf.nn.softmax(x, axis=-1))
print(tf.reduce_sum(x), tf.convert_to_tensor([1, 2, 3]))
var = tf.Variable([0.0, 0.0, 0.0])
var.assign([1, 2, 3])
print(var.assign_add([1, 1, 1]).numpy())


def f(x):
    y = x**2 + 2 * x - 5
    return y


x = tf.Variable(1.0)
with tf.GradientTape() as tape:
    y = f(x)
print(tape.gradient(y, x))


@tf.function
def my_func(x):
    return tf.reduce_sum(x)


print(my_func(tf.constant([1, 2, 3])), my_func(tf.constant([10.0, 9.0, 8.0])))


class MyModule(tf.Module):
    def __init__(self, value):
        self.weight = tf.Variable(value)

    @tf.function
    def multiply(self, x):
        return x * self.weight


mod = MyModule(3)
print(mod.multiply(tf.constant([1, 2, 3])))

x = tf.linspace(-2, 2, 41)
x = tf.cast(x, tf.float32)
y = f(x) + tf.sin(20 * x)


class Model(tf.Module):
    def __init__(self):
        draws = tf.sin(tf.range(5.0))
        self.w2 = tf.Variable(draws[0] + 0.5)
        self.w1 = tf.Variable(draws[1])
        self.b = tf.Variable(draws[2])

    @tf.function
    def __call__(self, x):
        return self.w2 * x**2 + self.w1 * x + self.b


quad_model = Model()


def mse_loss(y_pred, y):
    return tf.reduce_mean(tf.square(y_pred - y))


batch_size = 8
dataset = tf.data.Dataset.from_tensor_slices((x, y))
dataset = dataset.batch(batch_size)
epochs = 10
learning_rate = 0.01
losses = []
for epoch in range(epochs):
    for x_batch, y_batch in dataset:
        with tf.GradientTape() as tape:
            batch_loss = mse_loss(quad_model(x_batch), y_batch)
        grads = tape.gradient(batch_loss, quad_model.variables)
        for g, v in zip(grads, quad_model.variables):
            v.assign_sub(learning_rate * g)
    loss = mse_loss(quad_model(x), y)
    losses.append(loss)
    if epoch % 5 == 0:
        print(f"Mean squared error for step {epoch}: {loss.numpy():0.3f}")
print(losses[-1], quad_model.variables)

new_model = tf.keras.Sequential(
    [
        tf.keras.layers.Lambda(lambda x: tf.stack([x, x**2], axis=1)),
        tf.keras.layers.Dense(units=1, kernel_initializer=tf.keras.initializers.Constant(0.3)),
    ]
)
new_model.compile(loss=tf.keras.losses.MSE, optimizer=tf.keras.optimizers.SGD(learning_rate=0.01))
history = new_model.fit(x, y, epochs=10, batch_size=32, verbose=0, shuffle=False)
print(history.history["loss"])


class MyModel(tf.keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.w = tf.Variable(5.0)
        self.b = tf.Variable(0.0)

    def call(self, x):
        return self.w * x + self.b


TRUE_W, TRUE_B = 3.0, 2.0
x = tf.linspace(-2, 2, 21)
x = tf.cast(x, tf.float32)
y = x * TRUE_W + TRUE_B + tf.cos(9 * x)
keras_model = MyModel()


def loss(target_y, predicted_y):
    return tf.reduce_mean(tf.square(target_y - predicted_y))


def train(model, x, y, learning_rate):
    with tf.GradientTape() as t:
        current_loss = loss(y, model(x))
    dw, db = t.gradient(current_loss, [model.w, model.b])
    model.w.assign_sub(learning_rate * dw)
    model.b.assign_sub(learning_rate * db)


def report(model, loss):
    return f"W = {model.w.numpy():1.2f}, b = {model.b.numpy():1.2f}, loss={loss:2.5f}"


for epoch in range(4):
    train(keras_model, x, y, learning_rate=0.1)
    print(f"Epoch {epoch:2d}:")
    print("    ", report(keras_model, loss(y, keras_model(x))))


class SimpleModule(tf.Module):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.a_variable = tf.Variable(5.0, name="train_me")
        self.non_trainable_variable = tf.Variable(5.0, trainable=False, name="do_not_train_me")

    def __call__(self, x):
        return self.a_variable * x + self.non_trainable_variable


simple_module = SimpleModule(name="simple")
print(simple_module(tf.constant(5.0)))
print("trainable variables:", simple_module.trainable_variables)
print("all variables:", simple_module.variables)


class FlexibleDenseModule(tf.Module):
    def __init__(self, out_features, name=None):
        super().__init__(name=name)
        self.is_built = False
        self.out_features = out_features

    @tf.Module.with_name_scope
    def __call__(self, x):
        if not self.is_built:
            n = x.shape[-1] * self.out_features
            start = tf.reshape(tf.cos(tf.range(float(n))), [x.shape[-1], self.out_features])
            self.w = tf.Variable(start, name="w")
            self.b = tf.Variable(tf.zeros([self.out_features]), name="b")
            self.is_built = True
        y = tf.matmul(x, self.w) + self.b
        return tf.nn.relu(y)


class MySequentialModule(tf.Module):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.dense_1 = FlexibleDenseModule(out_features=3)
        self.dense_2 = FlexibleDenseModule(out_features=2)

    def __call__(self, x):
        x = self.dense_1(x)
        return self.dense_2(x)


my_model = MySequentialModule(name="the_model")
print("Model results:", my_model(tf.constant([[2.0, 2.0, 2.0]])))
print("Submodules:", [type(m).__name__ for m in my_model.submodules])
for var in my_model.variables:
    print(var, "\n")
