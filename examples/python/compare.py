"""python compare.py: does digits.onnx answer like the PyTorch model that it came from?"""

import numpy as np
import onnxruntime
import torch

from digits import build

model = build()
model.load_state_dict(torch.load("digits.pt", weights_only=True))
model.eval()

pixels = np.load("digits-test.npz")["x"][:256, None].astype(np.float32) / 255
with torch.no_grad():
    expected = model(torch.from_numpy(pixels)).numpy()
session = onnxruntime.InferenceSession("digits.onnx", providers=["CPUExecutionProvider"])
(got,) = session.run(None, {"pixels": pixels})

np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-4)
print(f"largest difference {np.abs(got - expected).max():.1e}, same class for {(got.argmax(1) == expected.argmax(1)).mean():.1%}")
