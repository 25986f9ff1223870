"""Checkpoints and moving averages: what is restored, and what is said where it cannot be."""

import copy

import numpy as np
import pytest

from tapemagic import tf
from tapemagic.errors import TapeUseError


def line(kernel=1.0):
    model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
    model.set_weights([np.full((2, 1), kernel, "f"), np.zeros(1, "f")])
    return model


def step(model, optimizer):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model(tf.ones([3, 2])) ** 2)
    variables = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
    return float(loss)


def test_training_goes_on_where_it_was_saved(tmp_path):
    model, optimizer = line(), tf.keras.optimizers.Adam(0.1)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)
    for _ in range(2):
        step(model, optimizer)
    path = checkpoint.save(tmp_path / "ckpt")
    losses = [step(model, optimizer) for _ in range(3)]
    checkpoint.restore(path).assert_consumed()
    assert [step(model, optimizer) for _ in range(3)] == losses
    model, optimizer = line(5.0), tf.keras.optimizers.Adam(0.1)
    tf.train.Checkpoint(model=model, optimizer=optimizer).restore(path)
    assert int(optimizer.iterations.numpy()) == 2
    assert [step(model, optimizer) for _ in range(3)] == losses


def test_modules_lists_and_dicts(tmp_path):
    module = tf.Module()
    module.parts = [tf.Variable(1.0), {"w": tf.Variable([2.0, 3.0])}]
    path = tf.train.Checkpoint(module=module).write(tmp_path / "one")
    shapes = {"module/parts/0": [], "module/parts/1/w": [2], "save_counter": []}
    assert tf.train.list_variables(path) == [
        (f"{name}/.ATTRIBUTES/VARIABLE_VALUE", shape) for name, shape in shapes.items()
    ]
    for variable in module.variables:
        variable.assign(tf.zeros_like(variable))
    tf.train.Checkpoint(module=module).read(path)
    assert [v.numpy().tolist() for v in module.variables] == [1.0, [2.0, 3.0]]


def functional():
    inputs = tf.keras.Input((2,))
    return tf.keras.Model(inputs, tf.keras.layers.Dense(1)(inputs))


class Named(tf.Module):
    def __init__(self):
        super().__init__()
        self._root, self.w = tf.Variable([1.0]), tf.Variable([2.0])


@pytest.mark.parametrize("make", [line, functional, Named])
def test_the_parts_of_a_root(make, tmp_path):
    """Also those that a class keeps under private names."""
    root = make()
    start = [v.numpy() for v in root.variables]
    path = tf.train.Checkpoint(root).save(tmp_path / "ckpt")
    for variable in root.variables:
        variable.assign(variable + 1)
    tf.train.Checkpoint(root).restore(path).assert_consumed()
    assert all(np.array_equal(v, value) for v, value in zip(root.variables, start, strict=True))


def test_a_checkpoint_of_other_names(tmp_path):
    path = tf.train.Checkpoint(v=tf.Variable(1.0)).save(tmp_path / "ckpt")
    with pytest.warns(UserWarning, match="Nothing was restored: saved were v"):
        tf.train.Checkpoint(w=tf.Variable(1.0)).restore(path)
    with pytest.raises(TapeUseError, match="model is a object, which nothing can be saved of"):
        tf.train.Checkpoint(model=object())


def test_the_last_checkpoints_are_kept(tmp_path):
    v = tf.Variable(0)
    manager = tf.train.CheckpointManager(tf.train.Checkpoint(v=v), tmp_path, max_to_keep=2)
    assert manager.latest_checkpoint is tf.train.latest_checkpoint(tmp_path) is None
    assert manager.restore_or_initialize() is None
    for n in range(3):
        v.assign(n)
        manager.save()
    assert [path[-6:] for path in manager.checkpoints] == ["ckpt-2", "ckpt-3"]
    assert sorted(path.name for path in tmp_path.glob("*.npz")) == ["ckpt-2.npz", "ckpt-3.npz"]
    v.assign(7)
    assert manager.restore_or_initialize() == tf.train.latest_checkpoint(tmp_path)
    assert v.numpy() == 2


def test_what_does_not_match_is_told(tmp_path):
    path = tf.train.Checkpoint(v=tf.Variable(1.0)).save(tmp_path / "ckpt")
    other = tf.train.Checkpoint(w=tf.Variable(1.0))
    with pytest.warns(UserWarning, match="Nothing was restored"):
        status = other.restore(path).expect_partial()
    with pytest.raises(AssertionError, match="no variable for v"):
        status.assert_consumed()
    with pytest.raises(AssertionError, match="No value was saved for w"):
        status.assert_existing_objects_matched()
    tf.train.Checkpoint(v=tf.Variable(0.0)).restore(None).assert_consumed()


def test_what_cannot_be_saved_or_restored_is_refused(tmp_path):
    with pytest.raises(TapeUseError, match="No checkpoint"):
        tf.train.Checkpoint(v=tf.Variable(1.0)).restore(tmp_path / "nothing")
    reading = iter(tf.data.Dataset.range(3))
    with pytest.raises(TapeUseError, match="reading is an iterator"):
        tf.train.Checkpoint(reading=reading).save(tmp_path / "ckpt")
    model, optimizer = line(), tf.keras.optimizers.Adam(0.1)
    step(model, optimizer)
    with pytest.raises(TapeUseError, match="remembers something of kernel"):
        tf.train.Checkpoint(optimizer=optimizer).save(tmp_path / "ckpt")
    path = tf.train.Checkpoint(model=model).save(tmp_path / "ckpt")
    unbuilt = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    with pytest.raises(TapeUseError, match="model has no variables yet"):
        tf.train.Checkpoint(model=unbuilt).restore(path)


def test_moving_averages():
    v, average = tf.Variable(1.0), tf.train.ExponentialMovingAverage(0.9)
    assert average.average(v) is None
    for value in (1.0, 2.0, 4.0):
        v.assign(value)
        average.apply([v])
    assert average.average(v).numpy() == pytest.approx(0.9 * (0.9 * 1 + 0.1 * 2) + 0.1 * 4)
    assert average.average(v).name == "Variable/ExponentialMovingAverage:0"


class Momentum(tf.keras.optimizers.Optimizer):
    def build(self, var_list):
        super().build(var_list)
        self.momenta = self.add_optimizer_variables(var_list, "momentum")

    def update_step(self, gradient, variable, learning_rate):
        momentum = self.momenta[self._get_variable_index(variable)]
        self.assign(momentum, 0.9 * momentum + gradient)
        self.assign_sub(variable, learning_rate * momentum)


def test_variables_of_an_optimizer_of_ones_own(tmp_path):
    model, optimizer = line(), Momentum(0.01)
    other, sgd = line(), tf.keras.optimizers.SGD(0.01, momentum=0.9)
    found, expected = (
        [step(*pair) for _ in range(3)] for pair in ((model, optimizer), (other, sgd))
    )
    assert found == pytest.approx(expected, rel=1e-6)
    path = tf.train.Checkpoint(model=model, optimizer=optimizer).save(tmp_path / "own")
    losses = [step(model, optimizer) for _ in range(3)]
    assert losses == pytest.approx([step(other, sgd) for _ in range(3)], rel=1e-6)
    model, optimizer = line(5.0), Momentum(0.5)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)
    with pytest.raises(TapeUseError, match=r"build\(model\.trainable_variables"):
        checkpoint.restore(path)
    optimizer.build(model.trainable_variables)
    checkpoint.restore(path).assert_consumed()
    assert [step(model, optimizer) for _ in range(3)] == losses


def test_an_optimizer_without_a_step():
    v = tf.Variable(1.0)
    optimizer = tf.keras.optimizers.Optimizer(0.1)
    with pytest.raises(TapeUseError, match="update_step"):
        optimizer.apply([tf.constant(1.0)], [v])
    with pytest.raises(TapeUseError, match="2 gradients were given for 1 variables"):
        tf.keras.optimizers.SGD().apply([tf.constant(1.0), tf.constant(1.0)], [v])
    with pytest.raises(TapeUseError, match="has never heard of the variable"):
        optimizer._get_variable_index(tf.Variable(2.0))


def test_a_variable_is_constrained_after_a_step():
    v = tf.Variable([1.0, -2.0], constraint=lambda x: tf.clip_by_value(x, 0.0, 1.0))
    for variable in (v, copy.copy(v), copy.deepcopy(v)):
        tf.keras.optimizers.SGD(0.25).apply([tf.constant([2.0, 1.0])], [variable])
        assert variable.numpy().tolist() == [0.5, 0.0]
    v.assign([3.0, 4.0])  # that is no step
    assert v.numpy().tolist() == [3.0, 4.0]
    assert tf.Variable(1.0).constraint is None


def test_lists_of_checkpoints_have_one_name(tmp_path):
    path = tf.train.Checkpoint(v=tf.Variable(1.0)).save(tmp_path / "ckpt")
    assert tf.train.latest_checkpoint(tmp_path, "checkpoint") == path
    with pytest.raises(ValueError, match="latest_filename"):
        tf.train.latest_checkpoint(tmp_path, "other")
