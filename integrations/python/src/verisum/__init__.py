"""Take part in a Verisum task with any Python training, and load the models that tasks publish.

    import verisum

    def fit(weights, round):
        ...                      # train from these arrays, by name
        return trained           # the trained arrays, by name

    verisum.run(fit)

`fl-client join --contract ADDRESS --trainer "python train.py"` calls such a program once in each round.
"""

from .checkpoint import Checkpoint, load
from .describe import describe, task
from .errors import ContentError, TrainerError
from .flower import from_flower
from .preprocessing import Preprocessing
from .process import run
from .round import SIT_OUT, Difference, Evaluate, Fit, Parameter, Round, Training
from .server import serve
from .tensors import check_frozen

__all__ = [
    "SIT_OUT",
    "Checkpoint",
    "ContentError",
    "Difference",
    "Evaluate",
    "Fit",
    "Parameter",
    "Preprocessing",
    "Round",
    "TrainerError",
    "Training",
    "check_frozen",
    "describe",
    "from_flower",
    "load",
    "run",
    "serve",
    "task",
]
