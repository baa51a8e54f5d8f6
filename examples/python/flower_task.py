"""Writes the task and the first weights of the Flower app beside it: python flower_task.py FOLDER"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "flower_app"))

from digits_app.task import initial

import verisum

options = {"learning-rate": 0.01, "local-epochs": 1}
model = verisum.describe(initial(), options=options, initial=Path(sys.argv[1], "first.safetensors"))
specification = verisum.task("digits by a Flower app", model, clip_norm=8, step_bits=10, rounds=3)
Path(sys.argv[1], "task.json").write_text(json.dumps(specification, indent=2))
