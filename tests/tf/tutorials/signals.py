"""`tf.signal`: frames, transforms and windows, with gradients."""

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


x = normal(2, 8)
c = (x + 1j * normal(2, 8)).astype(np.complex64)
print(
    tf.signal.fft(c),
    tf.signal.ifft(c),
    tf.signal.rfft(x),
    tf.signal.irfft(tf.signal.rfft(x)),
    tf.signal.fft2d(c),
    tf.signal.fftshift(x),
    tf.signal.ifftshift(x),
    tf.signal.rfft2d(x),
)
show_gradients(lambda a: tf.abs(tf.signal.rfft(a)), x)
show_gradients(lambda a: tf.abs(tf.signal.fft(tf.cast(a, tf.complex64))) ** 2, x)
show_gradients(
    lambda a: tf.signal.irfft(tf.signal.rfft(a) * tf.constant(np.arange(5), tf.complex64)), x
)
show_gradients(
    lambda a: tf.math.real(tf.signal.ifft2d(tf.signal.fft2d(tf.cast(a, tf.complex64)) * 2)), x
)
show_gradients(lambda a: tf.signal.frame(a, 4, 2), x)
show_gradients(lambda a: tf.signal.frame(a, 4, 3, pad_end=True), x)
show_gradients(lambda a: tf.abs(tf.signal.stft(a, 4, 2)), x)
show_gradients(
    lambda a: tf.abs(
        tf.signal.stft(a, 4, 2, fft_length=8, window_fn=tf.signal.hamming_window, pad_end=True)
    ),
    x,
)
show_gradients(lambda a: tf.signal.inverse_stft(tf.signal.stft(a, 4, 2), 4, 2), x)
show_gradients(lambda a: tf.signal.overlap_and_add(tf.reshape(a, [4, 4]), 2), x)
show_gradients(lambda a: tf.signal.dct(a), x)
show_gradients(lambda a: tf.signal.dct(a, norm="ortho"), x)
show_gradients(lambda a: tf.signal.idct(a, norm="ortho"), x)
show_gradients(lambda a: tf.signal.dct(a, type=3), x)
show_gradients(lambda a: tf.signal.fft3d(tf.cast(tf.reshape(a, [2, 2, 4]), tf.complex64)), x)
print(
    tf.signal.hann_window(5, periodic=False),
    tf.signal.hamming_window(6),
    tf.signal.mfccs_from_log_mel_spectrograms(tf.ones([2, 4])),
    tf.signal.linear_to_mel_weight_matrix(5, 9, 16000, 80.0, 7600.0),
)
