"""The server app, for Flower's own simulation. In a Verisum task chain and committee are in its place."""

from flwr.app import Array, ArrayRecord, ConfigRecord, Context
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from digits_app.task import initial

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    arrays = ArrayRecord({name: Array(array) for name, array in initial().items()})
    FedAvg().start(
        grid=grid,
        initial_arrays=arrays,
        train_config=ConfigRecord({"learning-rate": context.run_config["learning-rate"]}),
        num_rounds=context.run_config["num-server-rounds"],
    )
