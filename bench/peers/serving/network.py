"""A model for MLServer, in a module of its own so that worker processes find it."""

import onnxruntime as ort
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse


class Network(MLModel):
    """Decodes with NumPy, runs, encodes with NumPy: what MLServer's documentation shows for a runtime of one's own."""

    async def load(self) -> bool:
        extra = self.settings.parameters.extra
        options = ort.SessionOptions()
        options.intra_op_num_threads = extra["threads"]
        self.session = ort.InferenceSession(extra["file"], options, providers=["CPUExecutionProvider"])
        return True

    async def predict(self, payload):
        inputs = {each.name: NumpyCodec.decode_input(each) for each in payload.inputs}
        names = [output.name for output in self.session.get_outputs()]
        outputs = self.session.run(names, inputs)
        return InferenceResponse(
            model_name=self.name,
            outputs=[NumpyCodec.encode_output(name, value) for name, value in zip(names, outputs)],
        )
