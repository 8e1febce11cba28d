"""JAX: lax.scan under jit, with the products of the input before the loop."""

import time

import jax
import jax.numpy as jnp
from jax import lax

import workload_numbers as numbers
from worker import Repeated, serve

sigmoid, tanh = jax.nn.sigmoid, jnp.tanh


def normalize(x):
    deviation = x - x.mean(-1, keepdims=True)
    return deviation * lax.rsqrt((deviation * deviation).mean(-1, keepdims=True) + 1e-5)


# One step of each cell: step(weights, projected input, state) -> state, whose first entry is h.
def lstm(weights, projected, state):
    i, f, g, o = jnp.split(projected + state[0] @ weights["recurrent"], 4, -1)
    c = sigmoid(f) * state[1] + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def gru(weights, projected, state):
    (h,) = state
    xr, xz, xn = jnp.split(projected, 3, -1)
    hr, hz, hn = jnp.split(h @ weights["recurrent"], 3, -1)
    z = sigmoid(xz + hz)
    return ((1 - z) * tanh(xn + sigmoid(xr + hr) * hn) + z * h,)


def rnn(weights, projected, state):
    return (tanh(projected + state[0] @ weights["recurrent"]),)


def peephole(weights, projected, state):
    h, c = state
    i, f, g, o = jnp.split(projected + h @ weights["recurrent"], 4, -1)
    c = sigmoid(f + weights["peep_f"] * c) * c + sigmoid(i + weights["peep_i"] * c) * tanh(g)
    return sigmoid(o + weights["peep_o"] * c) * tanh(c), c


def lnlstm(weights, projected, state):
    h, c = state
    i, f, g, o = jnp.split(projected + normalize(h @ weights["recurrent"]) * weights["gain_recurrent"], 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(normalize(c) * weights["gain_c"] + weights["shift_c"]), c


STEPS = {"lstm": lstm, "gru": gru, "rnn": rnn, "peephole": peephole, "lnlstm": lnlstm}
STATE_SIZES = {"gru": 1, "rnn": 1}


def project(cell, weights, x):
    products = x @ weights["input"]
    return (normalize(products) * weights["gain_input"] if cell == "lnlstm" else products) + weights["bias"]


def start_params(workload):
    layers = [numbers.layer_weights(workload, layer) for layer in range(workload["layers"])]
    return jax.tree.map(jnp.array, {"layers": layers, "readout": numbers.readout_weights(workload)})


def start_state(workload):
    zeros = jnp.zeros((workload["batch"], workload["hiddenSize"]), "float32")
    return (zeros,) * STATE_SIZES.get(workload["cell"], 2)


def network(workload, layers, x):
    """The last h of the last layer, and all of them."""
    cell = workload["cell"]
    for weights in layers:

        def body(state, projected):
            state = STEPS[cell](weights, projected, state)
            return state, state[0]

        state, x = lax.scan(body, start_state(workload), project(cell, weights, x))
    return state[0], x


def compiled(function, *args, **options):
    start = time.perf_counter()
    executable = jax.jit(function, **options).lower(*args).compile()
    return executable, (time.perf_counter() - start) * 1e3


def training(workload):
    def loss(params, x, target):
        weight, bias = params["readout"]
        h, _ = network(workload, params["layers"], x)
        return ((h @ weight + bias - target) ** 2).mean()

    def update(params, x, target):
        value, gradient = jax.value_and_grad(loss)(params, x, target)
        return jax.tree.map(lambda p, g: p - numbers.LEARNING_RATE * g, params, gradient), value

    params, x, target = start_params(workload), *map(jnp.array, (numbers.inputs(workload), numbers.targets(workload)))
    step, compile_ms = compiled(update, params, x, target, donate_argnums=0)
    at = [params, None]

    def run():
        at[:] = step(at[0], x, target)
        jax.block_until_ready(at)

    return Repeated(run, lambda: float(at[1]), compile_ms)


def streaming(workload, captured):
    weights = start_params(workload)["layers"][0]
    x, state = jnp.array(numbers.inputs(workload)[0]), [start_state(workload)]

    def step(weights, x, state):
        return lstm(weights, project("lstm", weights, x), state)

    # Called as users call it, through the dispatch of jit.
    function = jax.jit(lambda x, state: step(weights, x, state)) if captured else jax.jit(step)
    args = (x,) if captured else (weights, x)

    def run():
        state[0] = function(*args, state[0])
        jax.block_until_ready(state[0])

    return Repeated(run, lambda: numbers.mean_absolute(state[0][0]))


def inference(workload):
    layers, x, last = start_params(workload)["layers"], jnp.array(numbers.inputs(workload)), [None]
    function, compile_ms = compiled(lambda layers, x: network(workload, layers, x)[1], layers, x)

    def run():
        last[0] = function(layers, x)
        jax.block_until_ready(last)

    return Repeated(run, lambda: numbers.mean_absolute(last[0]), compile_ms)


def product(workload):
    left, right = map(jnp.array, numbers.factors(workload))
    function, last = jax.jit(lambda a, b: a @ b), [None]

    def run():
        last[0] = function(left, right).block_until_ready()

    return Repeated(run, lambda: numbers.mean_absolute(last[0]))


def variants(request):
    workload = request["prepare"]
    if workload["kind"] == "step":
        return [
            ("weights given", lambda: streaming(workload, False)),
            ("weights captured", lambda: streaming(workload, True)),
        ]
    make = {"train": training, "seq": inference, "gemm": product}[workload["kind"]]
    return [(None, lambda: make(workload))]


serve(variants)
