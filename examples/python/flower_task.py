"""Writes task.json and first.safetensors for the Flower app beside it: python flower_task.py"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "flower_app"))

from digits_app.task import initial

import verisum

model = verisum.describe(initial(), options={"learning-rate": 0.01, "local-epochs": 1}, initial="first.safetensors")
specification = verisum.task("digits by a Flower app", model, clip_norm=8, step_bits=10, rounds=3)
json.dump(specification, open("task.json", "w"), indent=2)
