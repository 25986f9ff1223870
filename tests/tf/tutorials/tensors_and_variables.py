"""Guides: tensors and variables, with what they print."""

import numpy as np
import tensorflow as tf

rank_0_tensor = tf.constant(4)
print(rank_0_tensor)
rank_1_tensor = tf.constant([2.0, 3.0, 4.0])
print(rank_1_tensor)
rank_2_tensor = tf.constant([[1, 2], [3, 4], [5, 6]], dtype=tf.float16)
print(rank_2_tensor)
rank_3_tensor = tf.constant([
  [[0, 1, 2, 3, 4],
   [5, 6, 7, 8, 9]],
  [[10, 11, 12, 13, 14],
   [15, 16, 17, 18, 19]],
  [[20, 21, 22, 23, 24],
   [25, 26, 27, 28, 29]]])  # fmt: skip
print(rank_3_tensor)
print(np.array(rank_2_tensor), rank_2_tensor.numpy())
a = tf.constant([[1, 2], [3, 4]])
b = tf.ones([2, 2], dtype=tf.int32)
print(tf.add(a, b), "\n", tf.multiply(a, b), "\n", tf.matmul(a, b), "\n")
print(a + b, "\n", a * b, "\n", a @ b, "\n")
c = tf.constant([[4.0, 5.0], [10.0, 1.0]])
print(tf.reduce_max(c), tf.math.argmax(c), tf.nn.softmax(c))
print(tf.convert_to_tensor([1, 2, 3]), tf.reduce_max([1, 2, 3]), tf.reduce_max(np.array([1, 2, 3])))
rank_4_tensor = tf.zeros([3, 2, 4, 5])
print("Type of every element:", rank_4_tensor.dtype)
print("Number of axes:", rank_4_tensor.ndim)
print("Shape of tensor:", rank_4_tensor.shape)
print("Elements along axis 0 of tensor:", rank_4_tensor.shape[0])
print("Elements along the last axis of tensor:", rank_4_tensor.shape[-1])
print("Total number of elements (3*2*4*5): ", tf.size(rank_4_tensor).numpy())
print(tf.rank(rank_4_tensor), tf.shape(rank_4_tensor))
rank_1_tensor = tf.constant([0, 1, 1, 2, 3, 5, 8, 13, 21, 34])
print("First:", rank_1_tensor[0].numpy(), "Last:", rank_1_tensor[-1].numpy())
print(
    "Everything:", rank_1_tensor[:].numpy(), rank_1_tensor[2:7].numpy(), rank_1_tensor[::-1].numpy()
)
print("Item in last row of first column:", rank_2_tensor[-1, 0].numpy())
print(rank_3_tensor[:, :, 4])
x = tf.constant([[1], [2], [3]])
print(x.shape, x.shape.as_list())
reshaped = tf.reshape(x, [1, 3])
print(x.shape, reshaped.shape)
print(tf.reshape(rank_3_tensor, [-1]))
print(tf.reshape(rank_3_tensor, [3 * 2, 5]), "\n")
print(tf.reshape(rank_3_tensor, [3, -1]))
try:
    tf.reshape(rank_3_tensor, [7, -1])
except Exception as e:
    print(f"{isinstance(e, (ValueError, tf.errors.InvalidArgumentError))}")
the_f64_tensor = tf.constant([2.2, 3.3, 4.4], dtype=tf.float64)
the_f16_tensor = tf.cast(the_f64_tensor, dtype=tf.float16)
the_u8_tensor = tf.cast(the_f16_tensor, dtype=tf.uint8)
print(the_u8_tensor)
x = tf.constant([1, 2, 3])
y = tf.constant(2)
z = tf.constant([2, 2, 2])
print(tf.multiply(x, 2), x * y, x * z)
x = tf.reshape(x, [3, 1])
y = tf.range(1, 5)
print(x, "\n", y, "\n", tf.multiply(x, y))
print(tf.broadcast_to(tf.constant([1, 2, 3]), [3, 3]))
sparse_tensor = tf.sparse.SparseTensor(indices=[[0, 0], [1, 2]], values=[1, 2], dense_shape=[3, 4])
print(tf.sparse.to_dense(sparse_tensor))

my_tensor = tf.constant([[1.0, 2.0], [3.0, 4.0]])
my_variable = tf.Variable(my_tensor)
bool_variable = tf.Variable([False, False, False, True])
complex_variable = tf.Variable([5 + 4j, 6 + 1j])
print("Shape: ", my_variable.shape, "DType: ", my_variable.dtype, "As NumPy: ", my_variable.numpy())
print("A variable:", my_variable)
print("\nViewed as a tensor:", tf.convert_to_tensor(my_variable))
print("\nIndex of highest value:", tf.math.argmax(my_variable))
print("\nCopying and reshaping: ", tf.reshape(my_variable, [1, 4]))
print(bool_variable, complex_variable)
a = tf.Variable([2.0, 3.0])
a.assign([1, 2])
try:
    a.assign([1.0, 2.0, 3.0])
except Exception as e:
    print(f"{isinstance(e, (ValueError, tf.errors.InvalidArgumentError))}")
a = tf.Variable([2.0, 3.0])
b = tf.Variable(a)
a.assign([5, 6])
print(a.numpy(), b.numpy(), a.assign_add([2, 3]).numpy(), a.assign_sub([7, 9]).numpy())
a = tf.Variable(my_tensor, name="Mark")
b = tf.Variable(my_tensor + 1, name="Mark")
print(a == b)
step_counter = tf.Variable(1, trainable=False)
with tf.device("CPU:0"):
    a = tf.Variable([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    b = tf.Variable([[1.0, 2.0, 3.0]])
    k = a * b
print(k)

# slices of tensors and of variables
t1 = tf.constant([0, 1, 2, 3, 4, 5, 6, 7])
print(tf.slice(t1, begin=[1], size=[3]), t1[-3:], tf.gather(t1, indices=[0, 3, 6]))
t5 = np.reshape(np.arange(18), [2, 3, 3])
print(tf.gather_nd(t5, indices=[[0, 0, 0], [1, 2, 1]]))
t7 = tf.scatter_nd(tf.constant([[7], [3]]), tf.constant([5, 6]), tf.constant([9]))
print(t7, tf.tensor_scatter_nd_sub(t7, [[3]], [2]))
A = tf.Variable([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
A[0, 1].assign(20.0)
A[1, :2].assign([7.0, 8.0])
A[:, 2].assign(A[:, 2] + 1)
A[..., 0].assign(tf.constant([0.5, 0.5]))
A[tf.newaxis, 1, ::-1][0, :1]
print(A)
r = A[0, 0].assign(9.0)
print(r.numpy())
with tf.GradientTape() as tape:
    A[1].assign([1.0, 2.0, 3.0])
    y = tf.reduce_sum(A**2)
print(tape.gradient(y, A))
