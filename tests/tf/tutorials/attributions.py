"""Adversarial examples by signs of gradients, integrated gradients, and maps of classes."""

import numpy as np
import tensorflow as tf

inputs = tf.keras.Input((8, 8, 3))
x = tf.keras.layers.Conv2D(4, 3, activation="relu", name="last_conv")(inputs)
x = tf.keras.layers.GlobalAveragePooling2D()(x)
outputs = tf.keras.layers.Dense(5, activation="softmax")(x)
model = tf.keras.Model(inputs, outputs)
draw = np.random.RandomState(1)
model.set_weights([0.7 * draw.randn(*w.shape) for w in model.get_weights()])
model.trainable = False
image = tf.constant(draw.rand(8, 8, 3).astype("float32"))

loss_object = tf.keras.losses.CategoricalCrossentropy()


def create_adversarial_pattern(input_image, input_label):
    with tf.GradientTape() as tape:
        tape.watch(input_image)
        prediction = model(input_image)
        loss = loss_object(input_label, prediction)
    gradient = tape.gradient(loss, input_image)
    signed_grad = tf.sign(gradient)
    return signed_grad


image_probs = model.predict(image[tf.newaxis], verbose=0)
label = tf.one_hot(2, image_probs.shape[-1])
label = tf.reshape(label, (1, image_probs.shape[-1]))
perturbations = create_adversarial_pattern(image[tf.newaxis], label)
print(tf.reduce_sum(perturbations), perturbations[0, 0])
for eps in [0, 0.01, 0.1, 0.15]:
    adv_x = image + eps * perturbations
    adv_x = tf.clip_by_value(adv_x, -1, 1)
    print(eps, loss_object(label, model(adv_x)).numpy())


def f(x):
    return tf.where(x < 0.8, x, 0.8)


x = tf.linspace(start=0.0, stop=1.0, num=6)
with tf.GradientTape() as t:
    t.watch(x)
    y = f(x)
print(t.gradient(y, x))

m_steps = 10
alphas = tf.linspace(start=0.0, stop=1.0, num=m_steps + 1)
baseline = tf.zeros(shape=(8, 8, 3))


def interpolate_images(baseline, image, alphas):
    alphas_x = alphas[:, tf.newaxis, tf.newaxis, tf.newaxis]
    baseline_x = tf.expand_dims(baseline, axis=0)
    input_x = tf.expand_dims(image, axis=0)
    delta = input_x - baseline_x
    return baseline_x + alphas_x * delta


def compute_gradients(images, target_class_idx):
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = model(images)
        probs = tf.nn.softmax(logits, axis=-1)[:, target_class_idx]
    return tape.gradient(probs, images)


interpolated_images = interpolate_images(baseline=baseline, image=image, alphas=alphas)
path_gradients = compute_gradients(images=interpolated_images, target_class_idx=3)
print(path_gradients.shape)


def integral_approximation(gradients):
    grads = (gradients[:-1] + gradients[1:]) / tf.constant(2.0)
    return tf.math.reduce_mean(grads, axis=0)


@tf.function
def one_batch(baseline, image, alpha_batch, target_class_idx):
    interpolated = interpolate_images(baseline=baseline, image=image, alphas=alpha_batch)
    return compute_gradients(images=interpolated, target_class_idx=target_class_idx)


def integrated_gradients(baseline, image, target_class_idx, m_steps=50, batch_size=32):
    alphas = tf.linspace(start=0.0, stop=1.0, num=m_steps + 1)
    gradient_batches = []
    for alpha in tf.range(0, len(alphas), batch_size):
        from_ = alpha
        to = tf.minimum(from_ + batch_size, len(alphas))
        alpha_batch = alphas[from_:to]
        gradient_batches.append(one_batch(baseline, image, alpha_batch, target_class_idx))
    total_gradients = tf.concat(gradient_batches, axis=0)
    avg_gradients = integral_approximation(gradients=total_gradients)
    return (image - baseline) * avg_gradients


ig = integrated_gradients(baseline, image, 3, m_steps=40, batch_size=16)
print(ig.shape, ig[0])
baseline_prediction = tf.nn.softmax(model(baseline[tf.newaxis]))[0, 3]
input_prediction = tf.nn.softmax(model(image[tf.newaxis]))[0, 3]
delta = input_prediction - baseline_prediction
print(delta.numpy(), tf.math.reduce_sum(ig).numpy())
mask = tf.reduce_sum(tf.math.abs(ig), axis=-1)
print(tf.math.top_k(tf.reshape(mask, [-1]), k=3))

# Grad-CAM
grad_model = tf.keras.models.Model(
    model.inputs, [model.get_layer("last_conv").output, model.output]
)
with tf.GradientTape() as tape:
    last_conv_layer_output, preds = grad_model(image[tf.newaxis])
    pred_index = tf.argmax(preds[0])
    class_channel = preds[:, pred_index]
grads = tape.gradient(class_channel, last_conv_layer_output)
pooled_grads = tf.reduce_mean(grads, axis=(0, 1, 2))
last_conv_layer_output = last_conv_layer_output[0]
heatmap = last_conv_layer_output @ pooled_grads[..., tf.newaxis]
heatmap = tf.squeeze(heatmap)
heatmap = tf.maximum(heatmap, 0) / tf.math.reduce_max(heatmap)
print(heatmap.numpy().shape, heatmap[0])

# smooth gradients: noise given
noise = tf.constant(draw.randn(6, 8, 8, 3).astype("float32") * 0.1)
images = tf.repeat(image[tf.newaxis], 6, axis=0) + noise
grads = compute_gradients(images, 1)
print(tf.reduce_mean(tf.reduce_max(tf.abs(grads), axis=-1), axis=0)[0])

# maximize a filter, with a normalized gradient
feature_extractor = tf.keras.Model(model.inputs, model.get_layer("last_conv").output)
img = tf.constant(draw.rand(1, 8, 8, 3).astype("float32") * 0.25)
for _ in range(3):
    with tf.GradientTape() as tape:
        tape.watch(img)
        activation = feature_extractor(img)
        loss = tf.reduce_mean(activation[:, 2:-2, 2:-2, 1])
    grads = tape.gradient(loss, img)
    grads = tf.math.l2_normalize(grads)
    img += 10.0 * grads
    print(loss)
