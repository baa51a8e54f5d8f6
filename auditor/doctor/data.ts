/** Checks of what a role is given: data to learn from, and an address to listen at. */
import { createServer } from "node:net";
import type { ListenAddress } from "../../command/listen-address.ts";
import { answersText } from "../../learning/examples.ts";
import type { LoadedData } from "../../learning/examples.ts";
import { assertTakes, parseMember } from "../../learning/model.ts";
import { failed, ok, warning } from "./check.ts";
import type { Finding } from "./check.ts";

/** @param model of the task's document; undefined without a task. @throws DATASET_MODEL_MISMATCH */
export function dataFound({ train, test }: LoadedData, model: unknown): Finding {
  const value = `${train.exampleCount} training and ${test.exampleCount} test examples of ${train.featureShape.join("×")} values, ${answersText(train)}`;
  if (model !== undefined) for (const part of [train, test]) assertTakes(parseMember(model), part);
  const present = new Set(train.labels).size;
  if (train.targets === undefined && present < 2)
    return warning(
      value,
      "all training examples are of one class",
      "See that the label's column is the right one, and that the shard has examples of other classes.",
    );
  return ok(model === undefined ? value : `${value}: as the task's model takes them`);
}

/** The code of the failure to listen there; undefined if it works. */
export function listeningFailure({ host, port }: ListenAddress): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}

/** @param roleRuns the role whose address it is uses its state directory now */
export function listeningFound({ host, port }: ListenAddress, failure: string | undefined, roleRuns: boolean): Finding {
  const value = `${host}:${port}`;
  if (failure === undefined) return ok(`${value} is free`);
  if (failure === "EADDRINUSE" && roleRuns) return ok(`${value} is in use, as it has to be while the role runs`);
  if (failure === "EADDRINUSE")
    return failed(
      `${value} is in use`,
      "another process listens there",
      "Stop it, or choose another port with --listen.",
    );
  return failed(
    value,
    `this machine does not let it listen there: ${failure}`,
    "Name an address of this machine and a port from 1024 on with --listen.",
  );
}
