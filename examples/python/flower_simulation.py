"""The Flower app beside this under Flower's own simulation, to compare with a task: python flower_simulation.py CLIENTS

`flwr run examples/python/flower_app` does the same with Flower's processes. This one says the seconds of its rounds.
"""

import sys
import time
import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent / "flower_app"
sys.path.insert(0, str(FOLDER))

from digits_app import client_app, server_app
from flwr.app import Context
from flwr.clientapp import ClientApp
from flwr.serverapp import ServerApp
from flwr.simulation import run_simulation

# What `flwr run` reads from the app's own file.
CONFIG = tomllib.loads((FOLDER / "pyproject.toml").read_text())["tool"]["flwr"]["app"]["config"]


def configured(message, context, call_next):
    return call_next(message, with_config(context))


def with_config(context):
    return Context(context.run_id, context.node_id, context.node_config, context.state, CONFIG)


client = ClientApp(mods=[configured])
client.train()(client_app.train_round)
client.evaluate()(client_app.evaluate_round)
server = ServerApp()


@server.main()
def main(grid, context):
    started = time.time()
    server_app.main(grid, with_config(context))
    print(f"{CONFIG['num-server-rounds']} rounds in {time.time() - started:.1f} s", flush=True)


if __name__ == "__main__":
    run_simulation(server, client, int(sys.argv[1]), backend_config={"init_args": {"include_dashboard": False}})
