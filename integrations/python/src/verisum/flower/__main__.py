"""`fl-client join --trainer "python -m verisum.flower APP"`: takes part with a Flower app as it is.

APP is the app's folder, whose pyproject.toml names the client app, or module:name.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from ..errors import TrainerError
from ..process import run
from ..round import OptionValue
from ..server import serve
from ..tensors import read_safetensors
from . import from_flower


def main() -> NoReturn:
    """Parses the command line, imports the app, trains once or serves."""
    parser = argparse.ArgumentParser(prog="python -m verisum.flower", description=__doc__)
    parser.add_argument("app", help="folder with a pyproject.toml, or module:name")
    parser.add_argument("--node-config", default="", help="as for Flower's supernode: partition-id=0 num-partitions=2")
    parser.add_argument("--frozen", type=Path, help="safetensors file with the values of the task's frozen tensors")
    parser.add_argument("--serve", type=int, metavar="PORT", help="stay and serve on 127.0.0.1; else train once")
    parser.add_argument("folder", nargs="?", help="the round's folder, which the client names")
    arguments = parser.parse_intermixed_args()
    try:
        app, run_config = load_app(arguments.app)
        frozen = {} if arguments.frozen is None else read_safetensors(arguments.frozen.read_bytes())[0]
        trainer = from_flower(
            app, node_config=parse_config(arguments.node_config), run_config=run_config, frozen=frozen
        )
    except (TrainerError, OSError) as error:
        parser.error(str(error))
    if arguments.serve is not None:
        serve(trainer, arguments.serve)
    run(trainer)


def load_app(name: str) -> tuple[Any, dict[str, OptionValue]]:
    """The app and its run's default configuration.

    :raises TrainerError: if the folder is no Flower app, or the module or the name in it does not exist
    """
    folder = Path(name)
    config: dict[str, OptionValue] = {}
    if folder.is_dir():
        try:
            project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
            flower = project["tool"]["flwr"]["app"]
            name = str(flower["components"]["clientapp"])
            config = flatten(flower.get("config", {}))
        except (OSError, KeyError, TypeError, tomllib.TOMLDecodeError) as cause:
            raise TrainerError(f"{folder}/pyproject.toml names no Flower client app: {cause!r}") from cause
    # An app's modules are found from its folder, as Flower finds them, or from where the client runs.
    sys.path.insert(0, str(folder.resolve()) if folder.is_dir() else "")
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute or "app"), config
    except (ModuleNotFoundError, AttributeError) as cause:
        raise TrainerError(f"the client app {name} cannot be imported: {cause}") from cause


def parse_config(text: str) -> dict[str, OptionValue]:
    """`partition-id=0 num-partitions=2`, as Flower writes it: values are TOML, or plain words.

    :raises TrainerError: for a part without =
    """
    config: dict[str, OptionValue] = {}
    for part in text.split():
        key, found, value = part.partition("=")
        if not found or not key:
            raise TrainerError(f"--node-config has pairs such as partition-id=0, and not {part!r}")
        try:
            config[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            config[key] = value
    return config


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, OptionValue]:
    """Tables inside tables as dotted keys, as Flower has them."""
    flat: dict[str, OptionValue] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


if __name__ == "__main__":
    main()
