"""Writes clean model files of formats other than pickle into FOLDER: `python formats.py FOLDER [part …]`.

Parts: keras (with KERAS_BACKEND=torch), weights, skops. Every file is what the format's own library writes, nothing is edited.
`glacis scan FOLDER` has to call all of them clean.
"""

import os
import pathlib
import sys
import warnings

os.environ.setdefault("KERAS_BACKEND", "torch")
warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402


def keras_part(out):
    import keras
    from keras import layers as L

    def image(*more):
        return [L.Input((8, 8, 3)), *more, L.GlobalAveragePooling2D(), L.Dense(2, "softmax")]

    def series(*more):
        return [L.Input((6, 4)), *more, L.Flatten(), L.Dense(2)]

    stacks = {
        "convolution": image(L.Rescaling(1 / 255), L.Conv2D(4, 3, activation="relu"), L.BatchNormalization(), L.MaxPooling2D()),
        "separable": image(L.SeparableConv2D(4, 3, activation="swish"), L.DepthwiseConv2D(3), L.SpatialDropout2D(0.1)),
        "transposed": image(L.Conv2DTranspose(4, 3), L.UpSampling2D(), L.ZeroPadding2D(), L.Cropping2D()),
        "normalised": image(L.GroupNormalization(3), L.LayerNormalization(), L.UnitNormalization(), L.GaussianNoise(0.1)),
        "augmented": image(L.RandomFlip(), L.RandomRotation(0.1), L.RandomZoom(0.1), L.CenterCrop(6, 6), L.Resizing(8, 8)),
        "activations": image(L.ReLU(6.0), L.LeakyReLU(), L.ELU(), L.PReLU(), L.Activation("gelu"), L.Softmax()),
        "functions": image(L.Conv2D(4, 1, activation=keras.activations.selu, kernel_initializer=keras.initializers.HeNormal(1))),
        "regularised": image(L.Conv2D(4, 1, kernel_regularizer=keras.regularizers.L1L2(), kernel_constraint=keras.constraints.MaxNorm(2))),
        "lstm": series(L.Bidirectional(L.LSTM(3, return_sequences=True)), L.TimeDistributed(L.Dense(2))),
        "gru": series(L.GRU(3, return_sequences=True), L.SimpleRNN(3, return_sequences=True)),
        "cells": series(L.RNN([L.LSTMCell(3), L.GRUCell(2)], return_sequences=True)),
        "conv1d": series(L.Conv1D(3, 2), L.AveragePooling1D(2), L.Permute((2, 1)), L.Reshape((-1, 1))),
        "masked": series(L.Masking(), L.SpatialDropout1D(0.1), L.AlphaDropout(0.1)),
        "scaled": [L.Input((4,)), L.Normalization(mean=[0.0] * 4, variance=[1.0] * 4), L.Dense(3), L.SpectralNormalization(L.Dense(2))],
        "embedded": [L.Input((5,), dtype="int32"), L.Embedding(10, 4), L.GlobalMaxPooling1D(), L.Dense(1, "sigmoid")],
    }
    models = {name: keras.Sequential(stack) for name, stack in stacks.items()}
    x = L.Input((5, 8))
    attended = L.MultiHeadAttention(2, 4)(x, x)
    models["attention"] = keras.Model(x, L.Dense(2)(L.GlobalAveragePooling1D()(L.LayerNormalization()(L.Add()([x, attended])))))
    models["operators"] = keras.Model(x, keras.ops.mean(keras.ops.matmul(x, keras.ops.transpose(x, (0, 2, 1))), axis=1))
    a, b = L.Input((3,)), L.Input((3,))
    models["merged"] = keras.Model([a, b], L.Concatenate()([L.Multiply()([a, b]), L.Dot(1)([a, b]), L.Subtract()([a, b])]))
    models["nested"] = keras.Sequential([L.Input((8, 8, 3)), models["convolution"]])
    for name, model in models.items():
        model.compile(optimizer=keras.optimizers.AdamW(1e-3), loss=keras.losses.MeanSquaredError(), metrics=["mae"])
        model.save(out / f"{name}.keras")
        model.save(out / f"{name}.h5")
        model.save_weights(out / f"{name}.weights.h5")
        (out / f"{name}.json").write_text(model.to_json())


def weights_part(out):
    import gguf
    import h5py
    from safetensors.numpy import save_file

    for dtype in ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"):
        arrays = {"b": np.ones((3, 4), dtype), "a": np.zeros((0, 2), dtype), "c": np.array(1, dtype)}
        save_file(arrays, out / f"{dtype}.safetensors", metadata={"format": "np"})
    for kind in ("F32", "F16", "Q8_0", "Q4_0"):
        writer = gguf.GGUFWriter(out / f"{kind}.gguf", "llama")
        writer.add_name("clean")
        writer.add_context_length(128)
        writer.add_token_list(["<s>", "a", "b"])
        writer.add_token_scores([0.0, 1.0, 2.0])
        writer.add_chat_template("{% for m in messages %}{{ m['role'] + ': ' + m['content'] }}{% endfor %}")
        quantised = gguf.quants.quantize(np.ones((4, 32), np.float32), gguf.GGMLQuantizationType[kind])
        writer.add_tensor("blk.0.weight", quantised, raw_dtype=gguf.GGMLQuantizationType[kind])
        writer.add_tensor("norm", np.ones(3, np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    for version in ("earliest", "v108", "v110", "v112", "latest"):
        for block in (0, 512, 2048):
            with h5py.File(out / f"{version}-{block}.h5", "w", libver=(version, "latest"), userblock_size=block) as file:
                file.attrs["note"] = "text"
                file.attrs["fixed"] = np.bytes_(b"fixed")
                group = file.create_group("layers/dense")
                group.attrs["weight_names"] = [b"kernel", b"bias"]
                group.create_dataset("kernel", data=np.ones((40, 30)), chunks=(8, 8), compression="gzip")
                group.create_dataset("bias", data=np.ones(3, "f4"))
                file["soft"] = h5py.SoftLink("/layers/dense/bias")


def skops_part(out):
    import skops.io
    from sklearn.utils import all_estimators

    features = np.random.RandomState(0).rand(40, 4)
    labels = (features[:, 0] > 0.5).astype(int)
    for name, estimator in all_estimators():
        try:
            fitted = estimator().fit(features, labels)
            skops.io.dump(fitted, out / f"{name}.skops")
        except Exception:  # needs other data, or arguments
            continue


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    for part in sys.argv[2:] or ("keras", "weights", "skops"):
        (folder / part).mkdir(parents=True, exist_ok=True)
        globals()[f"{part}_part"](folder / part)
