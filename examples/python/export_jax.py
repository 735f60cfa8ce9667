"""python export_jax.py: a JAX function as jax.onnx (needs `pip install jax jax2onnx onnxruntime`)."""

import jax
import jax.numpy as jnp
import numpy as np
import onnxruntime
from jax2onnx import to_onnx

first, second = (0.05 * jax.random.normal(key, shape) for key, shape in
                 zip(jax.random.split(jax.random.key(0)), [(784, 64), (64, 10)]))


def logits(pixels):
    """Pixels from 0 to 1, `[batch, 784]`, to `[batch, 10]`."""
    return jax.nn.relu(((pixels - 0.1307) / 0.3081) @ first) @ second


to_onnx(logits, [("batch", 784)], return_mode="file", output_path="jax.onnx")

pixels = np.random.default_rng(0).random((4, 784), np.float32)
session = onnxruntime.InferenceSession("jax.onnx", providers=["CPUExecutionProvider"])
(got,) = session.run(None, {session.get_inputs()[0].name: pixels})
np.testing.assert_allclose(got, logits(jnp.asarray(pixels)), rtol=1e-3, atol=1e-4)
