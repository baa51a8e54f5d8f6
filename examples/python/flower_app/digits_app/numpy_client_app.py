"""The same client as a NumPyClient, as apps were written before the Message API."""

from flwr.client import NumPyClient
from flwr.clientapp import ClientApp

from digits_app.task import load_data, test, train


class FlowerClient(NumPyClient):
    def __init__(self, data, test_data, epochs):
        self.data, self.test_data, self.epochs = data, test_data, epochs

    def fit(self, parameters, config):
        coef, intercept, loss = train(*parameters, self.data, self.epochs, config["learning-rate"])
        return [coef, intercept], len(self.data[1]), {"train_loss": float(loss)}

    def evaluate(self, parameters, config):
        loss, accuracy = test(*parameters, self.test_data)
        return loss, len(self.test_data[1]), {"accuracy": accuracy}


def client_fn(context):
    data, test_data = load_data(context.node_config["partition-id"], context.node_config["num-partitions"])
    return FlowerClient(data, test_data, context.run_config["local-epochs"]).to_client()


app = ClientApp(client_fn=client_fn)
