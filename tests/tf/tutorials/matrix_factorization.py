"""Recommendations: a sparse matrix of ratings as a product, and sparse products in networks."""

import numpy as np
import tensorflow as tf

users, movies = 6, 5
rng = np.random.default_rng(3)
places = np.argwhere(rng.uniform(size=(users, movies)) < 0.5)
ratings = rng.integers(1, 6, len(places)).astype("float32")


def build_rating_sparse_tensor(indices, values):
    return tf.SparseTensor(indices=indices, values=values, dense_shape=[users, movies])


A = build_rating_sparse_tensor(places[::2], ratings[::2])
A_test = build_rating_sparse_tensor(places[1::2], ratings[1::2])
print(A)
print(A.shape, A.dtype, tf.sparse.to_dense(A))


def sparse_mean_square_error(sparse_ratings, user_embeddings, movie_embeddings):
    predictions = tf.gather_nd(
        tf.matmul(user_embeddings, movie_embeddings, transpose_b=True), sparse_ratings.indices
    )
    return tf.keras.losses.MeanSquaredError()(sparse_ratings.values, predictions)


def gravity(U, V):
    return (
        1.0
        / (U.shape[0] * V.shape[0])
        * tf.reduce_sum(tf.matmul(U, U, transpose_a=True) * tf.matmul(V, V, transpose_a=True))
    )


U = tf.Variable(np.sin(np.arange(users * 3.0)).reshape(users, 3), dtype=tf.float32)
V = tf.Variable(np.cos(np.arange(movies * 3.0)).reshape(movies, 3), dtype=tf.float32)
optimizer = tf.keras.optimizers.Adagrad(0.5)
for step in range(6):
    with tf.GradientTape() as tape:
        error = sparse_mean_square_error(A, U, V)
        regularization = 0.1 * (
            tf.reduce_sum(U * U) / U.shape[0] + tf.reduce_sum(V * V) / V.shape[0]
        )
        loss = error + regularization + 0.01 * gravity(U, V)
    optimizer.apply_gradients(zip(tape.gradient(loss, [U, V]), [U, V]))
    print(f"{step}: {loss:.4f} {error:.4f} {sparse_mean_square_error(A_test, U, V):.4f}")
print(U, V)

# --------------------------------------------------------------------- a network over a graph

edges = [[0, 1], [1, 0], [1, 2], [2, 1], [2, 3], [3, 2]]
strengths = tf.Variable([1.0, 1.0, 0.5, 0.5, 2.0, 2.0])
features = tf.constant([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, -1.0]])
kernel = tf.Variable([[0.5, -0.2], [0.1, 0.4]])
with tf.GradientTape() as tape:
    adjacency = tf.SparseTensor(edges, strengths, [4, 4])
    degree = tf.sparse.reduce_sum(adjacency, axis=1)
    hidden = tf.nn.relu(
        tf.sparse.sparse_dense_matmul(adjacency, features @ kernel) / degree[:, None]
    )
    loss = tf.reduce_sum(hidden**2) + tf.reduce_sum(tf.sparse.to_dense(adjacency) ** 2)
print(hidden, loss, tape.gradient(loss, [strengths, kernel]))
wide = tf.sparse.from_dense([[0.0, 2.0, 0.0], [1.0, 0.0, 3.0]])
dense = tf.constant([[1.0, 2.0], [3.0, 4.0]])
print(tf.sparse.sparse_dense_matmul(wide, dense, adjoint_a=True))
print(tf.sparse.sparse_dense_matmul(wide, dense @ dense[:, :1] @ tf.ones((1, 3)), adjoint_b=True))
print(tf.sparse.sparse_dense_matmul(dense, wide))
print(tf.sparse.transpose(wide), tf.sparse.reshape(wide, [3, -1]).indices)
unordered = tf.SparseTensor([[1, 1], [0, 2], [0, 0]], [1, 2, 3], [2, 3])
print(tf.sparse.to_dense(tf.sparse.reorder(unordered), default_value=-1))
try:
    tf.sparse.to_dense(unordered)
except tf.errors.InvalidArgumentError:
    print("out of order")
print(
    tf.sparse.to_dense(tf.sparse.add(wide, tf.sparse.eye(2, 3))),
    tf.sparse.add(wide, tf.ones((2, 3))),
)
print(
    tf.sparse.retain(wide, wide.values > 1.5).values, tf.sparse.map_values(tf.square, wide).values
)
