"""Runs models: folders with model.onnx, input.json (rows of values, and their shape) become output.json beside them."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

for folder in map(Path, sys.argv[1:]):
    given = json.loads((folder / "input.json").read_text())
    x = np.array(given["values"], dtype=np.float32).reshape(given["shape"])
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    outputs, predictions = session.run(["outputs", "predictions"], {"input": x})
    metadata = session.get_modelmeta().custom_metadata_map
    answer = {"outputs": outputs.ravel().tolist(), "predictions": predictions.ravel().tolist(), "metadata": metadata}
    (folder / "output.json").write_text(json.dumps(answer))
