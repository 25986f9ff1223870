"""Variables that no name of the cell holds: the weights of layers and modules are its sources."""

import pytest

START = """from tapemagic import tf
layers = [tf.keras.layers.Dense(1, name="only")]
model = tf.keras.Sequential([tf.keras.Input((2,)), *layers], name="line")
inputs = tf.constant([[2.0, 3.0], [1.0, -1.0]])
model.set_weights([[[0.5], [0.25]], [1.0]])
class Net(tf.Module):
    def __init__(self):
        super().__init__()
        self.scale, self.rest = tf.Variable(3.0), [tf.Variable(2.0)]
    def __call__(self, t):
        return t * self.scale ** 2 * self.rest[0]
net = Net()
twice = [tf.Variable(2.0, name="a"), tf.Variable(5.0, name="a")]"""


@pytest.fixture
def net_kernel(kernel):
    reply = kernel.run(START)
    assert reply.status == "ok", reply.traceback
    return kernel


def names(kernel):
    return kernel.value("[source.name for source in tape.graph.sources]")


def gradients(kernel, *sources):
    found = f"tape.gradient('loss', {list(sources)})"
    return kernel.value(f"[g.ravel().tolist() for g in {found}]")


# gradients by hand: of t * scale**2 * rest, and of a * b**2
CELLS = [
    ("loss = net(1.5)", ["net.scale", "net.rest[0]"], [[18.0], [13.5]]),
    ("loss = twice[0] * twice[1] ** 2", ["twice[0]", "twice[1]"], [[25.0], [20.0]]),
    (
        "def f():\n    v = tf.Variable(2.0)\n    return v\nloss = f() * f() ** 2",
        ["Variable", "Variable_1"],
        [[4.0], [8.0]],
    ),
    ("u = tf.Variable(2.0)\nloss = u * u", ["u"], [[4.0]]),
    ("one, a = twice, np.array(7.0)\nloss = one[0] * 3.0", ["a"], [[3.0]]),
]


@pytest.mark.parametrize(("cell", "found", "expected"), CELLS)
def test_each_has_a_name_of_its_own(net_kernel, cell, found, expected):
    reply = net_kernel.run(f"%%tape\n{cell}")
    assert reply.status == "ok", reply.traceback
    assert gradients(net_kernel, *found) == repr(expected)  # before anybody looks at the page
    assert names(net_kernel) == repr(found)


def test_a_name_that_something_else_has_is_not_taken(net_kernel):
    net_kernel.run("a = np.array(7.0)")
    reply = net_kernel.run("%%tape a\npair = twice[::-1]\nloss = a * float(3) * pair[1]")
    assert reply.status == "ok", reply.traceback
    assert gradients(net_kernel, "a", "twice[0]") == "[[6.0], [21.0]]"


def test_values_that_a_loop_assigns_are_versions_of_a_weight(net_kernel):
    reply = net_kernel.run(
        "%%tape model -t loss\n"
        "for step in range(3):\n"
        "    loss = tf.reduce_sum(model(inputs))\n"
        "    for weight in model.trainable_variables:\n"
        "        weight.assign_sub(0.1 * tf.ones_like(weight))"
    )
    assert reply.status == "ok", reply.traceback
    assert gradients(net_kernel, "line/only/bias@2", "line/only/kernel@2") == "[[2.0], [3.0, 2.0]]"
    assert "source " not in names(net_kernel)
    told = net_kernel.run("print(tape.explain('line/only/bias'))").stream()
    assert "cut by assign() (line 5)" in told
    assert "Ask for 'line/only/bias@2'" in told


def test_options_are_about_them_as_well(net_kernel):
    reply = net_kernel.run(
        "%%tape --show static --jacobian --check --order 2 --code\n"
        "loss = tf.reduce_sum(model(inputs) ** 3)"
    )
    assert reply.status == "ok", reply.traceback
    told = reply.displays[-1]["text/plain"]
    # sum of z**3 over z = 2.75, 1.25, the bias being 1: 3 z**2, and 6 z for the second
    assert "d loss / d line/only/bias = [27.375]" in told
    assert "d2 loss / d line/only/bias2 = [[24.]]" in told
    assert "agrees with finite differences (3 comparisons" in told
    assert any("line_only_kernel" in shown["text/plain"] for shown in reply.displays[:-1])


def test_a_check_moves_a_variable_wherever_the_cell_reads_it(net_kernel):
    net_kernel.run("held, holder = twice[0], {'x': twice[0]}")
    reply = net_kernel.run("%%tape held --check --show text\nloss = holder['x'] * held * 3.0")
    assert reply.status == "ok", reply.traceback
    assert "agrees with finite differences (1 comparisons" in reply.stream().replace("\n", " ")
    assert net_kernel.value("float(held)") == "2.0"


def test_a_check_leaves_out_what_the_cell_assigns_to(net_kernel):
    cell = "y = twice[0] * 3.0\ntwice[0].assign(y)\nloss = twice[0] * y * twice[1]"
    reply = net_kernel.run(f"%%tape --check --show text\n{cell}")
    assert "agrees with finite differences (1 comparisons" in reply.stream().replace("\n", " ")


def test_a_hessian_that_is_too_large_is_not_computed(net_kernel):
    net_kernel.run("wide = {'w': tf.Variable(tf.ones([20000]))}")
    reply = net_kernel.run("%%tape --order 2 --show text\nloss = tf.reduce_sum(wide['w'] ** 2)")
    assert reply.status == "ok", reply.traceback
    assert "shape (20000, 20000), too large to print" in reply.stream().replace("\n", " ")


def test_settings_of_a_model_are_no_rows(net_kernel):
    net_kernel.run(
        "class Own(tf.keras.Model):\n"
        "    def __init__(self):\n"
        "        super().__init__(name='own')\n"
        "        self.width, self.dense = 3, tf.keras.layers.Dense(1, name='dense')\n"
        "    def call(self, x):\n"
        "        return self.dense(x)\n"
        "own = Own()"
    )
    assert net_kernel.run("%%tape own -t loss\nloss = tf.reduce_sum(own(inputs))").status == "ok"
    assert names(net_kernel) == "['own/dense/kernel', 'own/dense/bias']"


def test_random_numbers_of_tf_are_drawn_again_and_not_used_up(net_kernel):
    draw = "loss = w[0] * tf.cast(tf.random.normal([]), tf.float64) ** 2"
    net_kernel.run("tf.random.set_seed(1)")
    net_kernel.run(draw)
    following = net_kernel.value("float(tf.random.normal([]))")
    net_kernel.run("tf.random.set_seed(1)")
    reply = net_kernel.run(f"%%tape w --check --order 2 --show text\n{draw}")
    assert "agrees with finite differences (2 comparisons" in reply.stream().replace("\n", " ")
    assert net_kernel.value("float(tf.random.normal([]))") == following


def test_a_cell_that_fails_keeps_their_names(net_kernel):
    reply = net_kernel.run("%%tape --show text\nloss = net(2.0)\nraise KeyError('here')")
    assert reply.error == "KeyError"
    assert "net.rest[0]" in reply.stream()


CLOSURES = """def make():
    inner, steps = tf.Variable(3.0), []
    def value():
        return inner * inner
    def step():
        with tf.GradientTape() as t:
            y = value()
        inner.assign_sub(0.25 * t.gradient(y, inner))
        steps.append(inner.numpy())
        return value()
    return step, (lambda: (float(inner), len(steps)))
step, state = make()
held = {"step": step}
graph_step = tf.function(step)"""


@pytest.mark.parametrize("called", ["step", "held['step']", "graph_step", "(graph_step or step)"])
def test_what_is_in_closures_is_copied_for_runs_that_check(net_kernel, called):
    net_kernel.run(CLOSURES)
    reply = net_kernel.run(f"%%tape w --check --order 2 --show text\nloss = w[0] ** 2 * {called}()")
    assert reply.status == "ok", reply.traceback
    assert "agrees with finite differences (2 comparisons" in reply.stream().replace("\n", " ")
    assert net_kernel.value("state()") == "(1.5, 1)"


def test_a_variable_in_a_closure_is_checked(net_kernel):
    net_kernel.run("def make(v):\n    return lambda t: t * v ** 3\ncube = make(tf.Variable(2.0))")
    reply = net_kernel.run("%%tape --check --show text\nloss = cube(1.5)")
    assert "agrees with finite differences (1 comparisons" in reply.stream().replace("\n", " ")


def test_a_number_made_of_a_tensor_is_no_tensor(net_kernel):
    cell = (
        "t = tf.constant(2.0) * net.scale\n"
        "one, made = float(t), [float(t) * 2, float(net.scale), float(tf.constant(4.0))]\n"
        "print(one, made, repr(one), f'{one:.1f}', type(one), np.float64(t), isinstance(one, float))\n"
        "square, loss = one ** 2, one * t"
    )
    plain = net_kernel.run(cell).stream()
    types = "(type(one), [type(x) for x in made], type(square), type(loss), made)"
    before = net_kernel.value(types)
    reply = net_kernel.run(f"%%tape net.scale\n{cell}")
    assert reply.status == "ok", reply.traceback
    assert reply.stream() == plain
    assert net_kernel.value(types) == before
    # of 4 s**2, both of them, at 3
    assert (
        net_kernel.value("[float(tape.gradient(y, 'net.scale')) for y in (square, loss)]")
        == "[24.0, 24.0]"
    )


def test_an_array_made_of_tensors_is_one_of_numpy(net_kernel):
    cell = (
        "t = tf.constant([1.0, 2.0]) * net.scale\n"
        "a, pair, same = np.array(t), np.asarray([t, t]), np.asarray(t)\n"
        "print(repr(a), type(pair), same, np.asarray(net.scale))\n"
        "b = a * np.array([0.5, 0.25])\n"
        "a[0] = 7.0\n"
        "loss = np.sum(b) + np.sum(a) + np.sum(pair) + np.sum(np.asarray(t))"
    )
    plain = net_kernel.run(cell).stream()
    values = "(type(loss), float(loss), a, b, pair.dtype, t)"
    before = net_kernel.value(values)
    reply = net_kernel.run(f"%%tape net.scale -t loss\n{cell}")
    assert reply.status == "ok", reply.traceback
    assert reply.stream() == plain
    assert net_kernel.value(values) == before
    # 0.5 + 0.5, then 2, twice 3, and 3
    assert net_kernel.value("float(tape.gradient('loss', 'net.scale'))") == "12.0"
