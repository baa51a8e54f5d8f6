/** Checks of a role's directories: who uses them, whether they are copies, and of which deployment they have state. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { storeHolder } from "../../content/disk.ts";
import { directoryHolder, directoryMark } from "../../storage/state-directory.ts";
import { deploymentsIn } from "../../task/deployment.ts";
import { failed, ok, warning } from "./check.ts";
import type { Finding } from "./check.ts";

export interface StateReading {
  readonly path: string;
  /** Undefined if there is no such directory yet. */
  readonly mode: number | undefined;
  readonly mark: "absent" | "own" | "foreign";
  /** Processes that run and use the directory, or its store. */
  readonly holder: number | undefined;
  readonly storeHolder: number | undefined;
}

/** Reads a state directory and takes nothing of it. @throws STORAGE_NEWER, STORAGE_FAILED */
export async function readState(path: string, store: string): Promise<StateReading> {
  const [found, mark, own, others] = await Promise.all([
    stat(path).catch(() => undefined),
    directoryMark(path),
    directoryHolder(path),
    storeHolder(store),
  ]);
  return { path, mode: found?.mode, mark, holder: own?.pid, storeHolder: others?.pid };
}

export function stateFound({ path, mode, mark, holder, storeHolder: storeUser }: StateReading): Finding {
  if (mode === undefined) return ok(`${path} is not there yet: the first start makes it`);
  const value = holder === undefined ? `${path} is free` : `${path} is in use by process ${holder}, which runs`;
  if ((mode & 0o077) !== 0 && process.platform !== "win32")
    return warning(
      `${path} has mode ${(mode & 0o777).toString(8)}`,
      "other users of this machine can read it",
      `Run: chmod 700 ${path}`,
    );
  if (mark === "foreign" && holder === undefined)
    return warning(
      value,
      "it is a copy, or came back from a backup: what it says may be out of date",
      "Start the role once: it makes the copy harmless, and sits out the rounds that it cannot know. Never run the original beside it.",
    );
  if (storeUser !== undefined && storeUser !== holder)
    return failed(
      `the store is in use by process ${storeUser}, which runs`,
      "a store serves one process at a time",
      "Stop that process, or name another folder with --store.",
    );
  return ok(value);
}

/** Of which deployments a directory has state. @throws STORAGE_FAILED */
export const readDeployments = deploymentsIn;

/** @param contract the task's scope and the contract's identity; undefined without a task */
export function deploymentFound(
  path: string,
  known: ReadonlyMap<string, string>,
  contract: { readonly scope: string; readonly deployment: string } | undefined,
): Finding {
  const scopes = [...known.keys()];
  if (contract === undefined)
    return ok(`${join(path)} has state of ${scopes.length === 0 ? "no task" : scopes.join(", ")}`);
  const { scope, deployment } = contract;
  const own = known.get(scope);
  const others = scopes.filter((other) => other !== scope).length;
  const beside = others === 0 ? "" : `; and of ${others} other ${others === 1 ? "task" : "tasks"}`;
  if (own === undefined) return ok(`${path} has no state of this contract yet${beside}`);
  const value = `${path} has state of the deployment ${own.slice(0, 10)}…${beside}`;
  if (own === deployment) return ok(value);
  return warning(
    value,
    `the contract at this address is another deployment, ${deployment.slice(0, 10)}…: the chain was started anew, or the endpoint serves another one`,
    "Start the role: it puts the old state into set-aside/. If the chain was not started anew, do not: correct --rpc.",
  );
}
