"""Neural style transfer: Gram matrices of activations, total variation, an image as variable."""

import numpy as np
import tensorflow as tf

rng = np.random.RandomState(0)
content_image = tf.constant(rng.rand(1, 12, 10, 3).astype("float32"))
style_image = tf.constant(rng.rand(1, 12, 10, 3).astype("float32"))


def load(img, max_dim=8):
    shape = tf.cast(tf.shape(img)[1:-1], tf.float32)
    long_dim = max(shape)
    scale = max_dim / long_dim
    new_shape = tf.cast(shape * scale, tf.int32)
    return tf.image.resize(img, new_shape)


print(load(content_image).shape)

inputs = tf.keras.Input((None, None, 3))
x = tf.keras.layers.Conv2D(4, 3, activation="relu", padding="same", name="block1_conv1")(inputs)
x = tf.keras.layers.MaxPooling2D(2)(x)
x = tf.keras.layers.Conv2D(5, 3, activation="relu", padding="same", name="block2_conv1")(x)
vgg = tf.keras.Model(inputs, x)
draw = np.random.RandomState(1)
vgg.set_weights([0.3 * draw.randn(*w.shape) for w in vgg.get_weights()])
for layer in vgg.layers:
    print(layer.name if "block" in layer.name else "")


def vgg_layers(layer_names):
    vgg.trainable = False
    outputs = [vgg.get_layer(name).output for name in layer_names]
    return tf.keras.Model([vgg.input], outputs)


def gram_matrix(input_tensor):
    result = tf.linalg.einsum("bijc,bijd->bcd", input_tensor, input_tensor)
    input_shape = tf.shape(input_tensor)
    num_locations = tf.cast(input_shape[1] * input_shape[2], tf.float32)
    return result / (num_locations)


class StyleContentModel(tf.keras.models.Model):
    def __init__(self, style_layers, content_layers):
        super().__init__()
        self.vgg = vgg_layers(style_layers + content_layers)
        self.style_layers = style_layers
        self.content_layers = content_layers
        self.num_style_layers = len(style_layers)
        self.vgg.trainable = False

    def call(self, inputs):
        "Expects float input in [0,1]"
        inputs = inputs * 2.0
        outputs = self.vgg(inputs)
        style_outputs, content_outputs = (
            outputs[: self.num_style_layers], outputs[self.num_style_layers :],
        )  # fmt: skip
        style_outputs = [gram_matrix(style_output) for style_output in style_outputs]
        content_dict = dict(zip(self.content_layers, content_outputs))
        style_dict = dict(zip(self.style_layers, style_outputs))
        return {"content": content_dict, "style": style_dict}


extractor = StyleContentModel(["block1_conv1", "block2_conv1"], ["block2_conv1"])
results = extractor(tf.constant(content_image))
for name, output in sorted(results["style"].items()):
    print("  ", name, output.numpy().shape, output.numpy().min(), output.numpy().mean())
style_targets = extractor(style_image)["style"]
content_targets = extractor(content_image)["content"]
image = tf.Variable(content_image)


def clip_0_1(image):
    return tf.clip_by_value(image, clip_value_min=0.0, clip_value_max=1.0)


opt = tf.keras.optimizers.Adam(learning_rate=0.02, beta_1=0.99, epsilon=1e-1)
style_weight, content_weight, total_variation_weight = 1e-2, 1e4, 30


def style_content_loss(outputs):
    style_outputs = outputs["style"]
    content_outputs = outputs["content"]
    style_loss = tf.add_n(
        [tf.reduce_mean((style_outputs[name] - style_targets[name]) ** 2) for name in style_outputs]
    )
    style_loss *= style_weight / 2
    content_loss = tf.add_n(
        [
            tf.reduce_mean((content_outputs[name] - content_targets[name]) ** 2)
            for name in content_outputs
        ]
    )
    content_loss *= content_weight / 1
    return style_loss + content_loss


@tf.function()
def train_step(image):
    with tf.GradientTape() as tape:
        outputs = extractor(image)
        loss = style_content_loss(outputs)
        loss += total_variation_weight * tf.image.total_variation(image)
    grad = tape.gradient(loss, image)
    opt.apply_gradients([(grad, image)])
    image.assign(clip_0_1(image))
    return loss, grad


for _ in range(4):
    loss, grad = train_step(image)
    print(loss, tf.norm(grad), tf.reduce_sum(image))


def high_pass_x_y(image):
    x_var = image[:, :, 1:, :] - image[:, :, :-1, :]
    y_var = image[:, 1:, :, :] - image[:, :-1, :, :]
    return x_var, y_var


def total_variation_loss(image):
    x_deltas, y_deltas = high_pass_x_y(image)
    return tf.reduce_sum(tf.abs(x_deltas)) + tf.reduce_sum(tf.abs(y_deltas))


print(total_variation_loss(image).numpy(), tf.image.total_variation(image).numpy())
sobel = tf.image.sobel_edges(content_image)
print(sobel.shape, tf.reduce_sum(clip_0_1(sobel[..., 0] / 4 + 0.5)))
