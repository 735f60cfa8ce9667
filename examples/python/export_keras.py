"""KERAS_BACKEND=torch python export_keras.py: a Keras model as keras.onnx, with its rescaling inside."""

import keras
import numpy as np
import onnxruntime

model = keras.Sequential([
    keras.Input((28, 28, 1)),
    keras.layers.Rescaling(1 / 0.3081, offset=-0.1307 / 0.3081),
    keras.layers.Conv2D(8, 3, padding="same", activation="relu"),
    keras.layers.GlobalAveragePooling2D(),
    keras.layers.Dense(10),
])
pixels = np.random.default_rng(0).random((4, 28, 28, 1), np.float32)
expected = keras.ops.convert_to_numpy(model(pixels))  # export wants a model that has been called
model.export("keras.onnx", format="onnx")

session = onnxruntime.InferenceSession("keras.onnx", providers=["CPUExecutionProvider"])
(got,) = session.run(None, {session.get_inputs()[0].name: pixels})
np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-4)
