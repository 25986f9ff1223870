"""Classes of videos: convolutions over space and then time, with residual blocks, and volumes."""

import numpy as np
import tensorflow as tf

layers = tf.keras.layers
draw = np.random.RandomState(0)


def filled(model):
    model.set_weights([0.4 * draw.randn(*w.shape) for w in model.get_weights()])
    return model


class Conv2Plus1D(tf.keras.layers.Layer):
    def __init__(self, filters, kernel_size, padding):
        super().__init__()
        self.seq = tf.keras.Sequential(
            [
                layers.Conv3D(
                    filters=filters,
                    kernel_size=(1, kernel_size[1], kernel_size[2]),
                    padding=padding,
                ),
                layers.Conv3D(filters=filters, kernel_size=(kernel_size[0], 1, 1), padding=padding),
            ]
        )

    def call(self, x):
        return self.seq(x)


class ResizeVideo(tf.keras.layers.Layer):
    def __init__(self, height, width):
        super().__init__()
        self.resizing_layer = layers.Resizing(height, width)

    def call(self, video):
        b, t, h, w, c = video.shape
        images = tf.reshape(video, [b * t, h, w, c])
        images = self.resizing_layer(images)
        return tf.reshape(images, [b, t, images.shape[1], images.shape[2], c])


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.first = Conv2Plus1D(filters=3, kernel_size=(3, 3, 3), padding="same")
        self.norm = layers.BatchNormalization()
        self.resize = ResizeVideo(4, 4)
        self.second = Conv2Plus1D(filters=3, kernel_size=(3, 2, 2), padding="same")
        self.pool = layers.GlobalAveragePooling3D()
        self.out = layers.Dense(4)

    def call(self, x, training=False):
        x = self.resize(tf.nn.relu(self.norm(self.first(x), training=training)))
        x = layers.add([x, self.second(x)])
        return self.out(self.pool(x))


videos = tf.constant(draw.randn(2, 3, 6, 6, 2).astype("float32"))
labels = tf.constant([1, 3])
net = Net()
net(videos)
filled(net)
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.SGD(0.05)
for _ in range(3):
    with tf.GradientTape() as tape:
        loss = loss_object(labels, net(videos, training=True))
    gradients = tape.gradient(loss, net.trainable_variables)
    optimizer.apply_gradients(zip(gradients, net.trainable_variables))
    print(loss.numpy(), tf.linalg.global_norm(gradients).numpy())

x = tf.Variable(draw.randn(2, 4, 5, 6, 2).astype("float32"))
for layer in (
    layers.Conv3D(3, 2), layers.Conv3D(2, (2, 3, 1), strides=(1, 2, 3), padding="same"),
    layers.Conv3D(2, 2, dilation_rate=(1, 2, 2), activation="tanh", use_bias=False),
    layers.Conv3DTranspose(2, 3, strides=2, padding="same"), layers.Conv3DTranspose(3, (2, 1, 3)),
    layers.Conv3DTranspose(1, 2, strides=(1, 2, 3)), layers.MaxPooling3D(),
    layers.MaxPool3D((2, 1, 3), strides=1, padding="same"), layers.AveragePooling3D(2, padding="same"),
    layers.AveragePooling3D((1, 2, 3), strides=(2, 1, 2)), layers.GlobalMaxPooling3D(keepdims=True),
    layers.ZeroPadding3D((1, 0, 2)), layers.Cropping3D(((1, 0), (2, 1), (0, 3))), layers.Cropping3D(),
    layers.UpSampling3D((2, 1, 3)), layers.ZeroPadding3D(),
):  # fmt: skip
    layer.build(x.shape)
    filled(layer)
    with tf.GradientTape() as tape:
        y = layer(x)
        loss = tf.reduce_sum(tf.sin(y) * tf.cos(tf.reshape(tf.range(float(tf.size(y))), y.shape)))
    sources = [x, *layer.trainable_weights]
    print(type(layer).__name__, y.shape, loss.numpy(), layer.count_params())
    print(
        [
            [round(float(tf.reduce_sum(f(g))), 3) for f in (tf.abs, tf.sin)]
            for g in tape.gradient(loss, sources)
        ]
    )

w = tf.constant(draw.randn(2, 2, 2, 2, 3).astype("float32"))
print(tf.nn.conv3d(x, w, [1, 1, 2, 2, 1], "SAME")[0, 0, 0])
print(tf.nn.convolution(x, w, strides=[1, 2, 1], padding="VALID")[1, 0, 1])
back = tf.transpose(w, [0, 1, 2, 4, 3])
print(tf.nn.conv3d_transpose(x, back, [2, 5, 6, 7, 3], 1, "VALID")[0, 1, 2])
print(
    tf.nn.max_pool3d(x, 2, 2, "VALID")[0, 0, 0],
    tf.nn.avg_pool3d(x, [1, 2, 2, 2, 1], 1, "SAME")[0, 0, 0],
)
