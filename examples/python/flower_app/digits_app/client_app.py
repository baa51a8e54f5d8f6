"""A client app of Flower's Message API. Nothing in it knows of Verisum."""

from flwr.app import Array, ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

from digits_app.task import load_data, test, train

app = ClientApp()


@app.train()
def train_round(msg: Message, context: Context) -> Message:
    arrays = msg.content["arrays"]
    data, _ = load_data(context.node_config["partition-id"], context.node_config["num-partitions"])
    coef, intercept, loss = train(
        arrays["coef"].numpy(),
        arrays["intercept"].numpy(),
        data,
        context.run_config["local-epochs"],
        msg.content["config"]["learning-rate"],
    )
    metrics = MetricRecord({"train_loss": float(loss), "num-examples": len(data[1])})
    trained = ArrayRecord({"coef": Array(coef), "intercept": Array(intercept)})
    return Message(content=RecordDict({"arrays": trained, "metrics": metrics}), reply_to=msg)


@app.evaluate()
def evaluate_round(msg: Message, context: Context) -> Message:
    arrays = msg.content["arrays"]
    _, data = load_data(context.node_config["partition-id"], context.node_config["num-partitions"])
    loss, accuracy = test(arrays["coef"].numpy(), arrays["intercept"].numpy(), data)
    metrics = MetricRecord({"eval_loss": loss, "eval_acc": accuracy, "num-examples": len(data[1])})
    return Message(content=RecordDict({"metrics": metrics}), reply_to=msg)
