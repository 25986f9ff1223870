"""`tf.image`: crops, patches, colours and similarities, with gradients."""

import numpy as np
import tensorflow as tf

rng = np.random.default_rng(0)


def normal(*s):
    return np.random.default_rng([7, *s]).standard_normal(s).astype("float32")


def show_gradients(f, *xs, name=""):
    vs = [tf.Variable(x) for x in xs]
    with tf.GradientTape() as tape:
        y = f(*vs)
        ys = y if isinstance(y, (list, tuple)) else [y]
        L = tf.add_n(
            [
                tf.reduce_sum(
                    tf.math.real(t)
                    * tf.reshape(tf.cos(tf.range(tf.size(t), dtype=tf.float32) + 1.0), tf.shape(t))
                )
                for t in ys
                if t.dtype.is_floating or t.dtype.is_complex
            ]
        )
    g = tape.gradient(L, vs)
    print(
        name,
        *[t.numpy().round(4) for t in ys],
        *[None if q is None else tf.convert_to_tensor(q).numpy().round(4) for q in g],
        sep="\n",
    )


x = rng.uniform(0, 1, (1, 5, 6, 3)).astype("float32")
show_gradients(lambda a: tf.image.resize_with_crop_or_pad(a, 4, 10), x)
show_gradients(lambda a: tf.image.central_crop(a, 0.5), x)
show_gradients(lambda a: tf.image.crop_to_bounding_box(a, 1, 1, 2, 3), x)
show_gradients(lambda a: tf.image.pad_to_bounding_box(a, 1, 1, 10, 10), x)
show_gradients(tf.image.flip_left_right, x)
show_gradients(tf.image.flip_up_down, x)
show_gradients(tf.image.transpose, x)
show_gradients(tf.image.rot90, x)
show_gradients(lambda a: tf.image.rot90(a, 3), x)
show_gradients(lambda a: tf.image.adjust_brightness(a, 0.1), x)
show_gradients(lambda a: tf.image.adjust_gamma(a, 2.0), x)
show_gradients(tf.image.rgb_to_grayscale, x)
show_gradients(lambda a: tf.image.grayscale_to_rgb(a[..., :1]), x)
show_gradients(tf.image.rgb_to_hsv, x)
show_gradients(tf.image.total_variation, x)
show_gradients(lambda a: list(tf.image.image_gradients(a)), x)
show_gradients(tf.image.sobel_edges, x)
show_gradients(lambda a: tf.image.psnr(a, a * 0.9, 1.0), x)
show_gradients(lambda a: tf.image.ssim(a, a * 0.9, 1.0, filter_size=3), x)
show_gradients(
    lambda a: tf.image.extract_patches(a, [1, 2, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], "VALID"), x
)
show_gradients(
    lambda a: tf.image.extract_patches(a, [1, 3, 3, 1], [1, 1, 2, 1], [1, 1, 1, 1], "SAME"), x
)
show_gradients(lambda a: tf.image.convert_image_dtype(a, tf.float32), x)
print(
    tf.image.convert_image_dtype(tf.constant([[[0, 128, 255]]], tf.uint8), tf.float32),
    tf.image.convert_image_dtype(x[0, :1, :2], tf.uint8),
    tf.image.random_flip_up_down(x).shape,
    tf.image.random_brightness(x, 0.1).shape,
    tf.image.random_contrast(x, 0.1, 0.2).shape,
    tf.image.random_crop(x[0], [2, 2, 3]).shape,
)
print(
    tf.image.adjust_hue(x, 0.1)[0, 0],
    tf.image.adjust_saturation(x, 2.0)[0, 0],
    tf.image.adjust_hue(x, -0.3)[0, 1],
)
show_gradients(lambda a: tf.image.ssim(a, a[::-1], 1.0, filter_size=4), x)
show_gradients(lambda a: tf.image.resize_with_crop_or_pad(a, 9, 5), x)
show_gradients(lambda a: tf.image.central_crop(a, 0.3), x)
show_gradients(lambda a: tf.image.psnr(a, 1 - a, 2.0), x)
