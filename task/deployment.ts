/**
 * Binds what a role keeps to the deployment that it is of. A development chain that is started again has the same
 * number and gives the same addresses: what was kept of the old contract is then of no round of the new one.
 */
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { TaskReader } from "../chain/task-chain.ts";
import { ensure, VerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { encodeRecord, listDirectory, readRecordOrNull, writeDurably } from "../storage/durable-file.ts";
import type { StateDirectory } from "../storage/state-directory.ts";
import { makeFolder } from "../storage/folder.ts";

const deploymentSchema = z.strictObject({ deployment: z.string().regex(/^0x[0-9a-f]{64}$/) });
/** (chain, contract), without a seat or an account behind it. */
const SCOPE = /^[0-9]+-0x[0-9a-f]{40}$/;
const DEPLOYMENT_FILE = "deployment.json";
/** Where directories of deployments go that the chain no longer has. */
const ASIDE = "set-aside";

/**
 * Puts aside what was kept of another deployment at the same address, and notes which one it is now; both only once
 * every endpoint has said so. A deployment that is not final yet is not noted: a reorganisation may move it to another
 * block, where it is another one.
 *
 * @param scope names (chain, contract); the roles' directories begin with it
 * @throws CHAIN_UNREACHABLE if an endpoint says otherwise, or does not answer while state would be put aside: connect
 * again; STORAGE_*; chain errors
 */
export async function bindDeployment(
  state: Pick<StateDirectory, "file">,
  chain: Pick<TaskReader, "context" | "deployments" | "origin" | "finalBlock">,
  scope: string,
  reporter: Reporter,
): Promise<void> {
  const path = state.file(scope, DEPLOYMENT_FILE);
  const known = await knownDeployment(path);
  const { deployment } = chain.context;
  if (known === deployment) return;
  const told = await chain.deployments();
  requireAgreement(told, deployment);
  if (known !== undefined) {
    ensure(!told.includes(undefined), "CHAIN_UNREACHABLE", NOT_CONFIRMED);
    await setAside(state, scope, known, reporter);
  }
  const { number } = await chain.origin();
  if (!told.includes(undefined) && number <= (await chain.finalBlock()))
    await writeDurably(path, encodeRecord({ deployment }));
}

const NOT_CONFIRMED =
  "the contract is not the one that this directory's state is of, as one endpoint says and not all confirm";

/** Between questions; and how often in a row it has to be another one before a role ends. */
const WATCH_EVERY_MS = 10_000;
const TIMES_TOLD = 2;

/**
 * Ends a role whose contract has become another deployment: the chain was started again, or a reorganisation moved the
 * deployment to another block. What the role says is of the one that it began with, and nobody would take it.
 * Endpoints are asked beside the looks, which wait for none of them.
 * @param clock monotonic milliseconds
 * @returns to be called at each look: @throws CONTRACT_REPLACED
 */
export function createDeploymentWatch(
  chain: Pick<TaskReader, "context" | "deployments">,
  clock: () => number,
): () => Promise<void> {
  const { contract, deployment } = chain.context;
  let [next, times, isAsking] = [clock() + WATCH_EVERY_MS, 0, false];
  let now: readonly (string | undefined)[] = [];
  const ask = async (): Promise<void> => {
    try {
      now = (await chain.deployments()).filter((one) => one !== undefined);
      // One endpoint alone ends nobody where another one knows better.
      times = now.length === 0 || now.includes(deployment) ? 0 : times + 1;
    } finally {
      [isAsking, next] = [false, clock() + WATCH_EVERY_MS];
    }
  };
  return async () => {
    ensure(
      times < TIMES_TOLD,
      "CONTRACT_REPLACED",
      `the contract at ${contract} is another deployment than the one that this role began with`,
      { contract, began: deployment, now: now.join() },
    );
    if (isAsking || clock() < next) return;
    isAsking = true;
    // An endpoint that fails is the looks' own affair.
    ask().catch(() => undefined);
  };
}

/** What was told on connecting is told by all that answer. */
function requireAgreement(told: readonly (string | undefined)[], deployment: string): void {
  const others = told.filter((one) => one !== undefined && one !== deployment);
  ensure(others.length === 0, "CHAIN_UNREACHABLE", "the endpoints do not agree on which deployment this contract is", {
    told: told.join(),
  });
}

async function setAside(
  state: Pick<StateDirectory, "file">,
  scope: string,
  deployment: string,
  reporter: Reporter,
): Promise<void> {
  const place = state.file(ASIDE, `${scope}-${deployment.slice(2, 10)}`);
  try {
    await makeFolder(place);
    for (const name of await listDirectory(state.file()))
      if (name === scope || name.startsWith(`${scope}-`)) await rename(state.file(name), `${place}/${name}`);
  } catch (cause) {
    throw new VerisumError("STORAGE_FAILED", `cannot put state aside in ${place}`, { path: place }, { cause });
  }
  reporter.say(
    "warn",
    "state-set-aside",
    `the contract is not the one that this directory's state is of: the chain was started anew. The old state is in ${place}`,
    { path: place },
  );
}

/** The identities of the deployments that a state directory has state of, by their scope. @throws STORAGE_FAILED */
export async function deploymentsIn(directory: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const scope of (await listDirectory(directory)).filter((name) => SCOPE.test(name))) {
    const known = await knownDeployment(join(directory, scope, DEPLOYMENT_FILE));
    if (known !== undefined) found.set(scope, known);
  }
  return found;
}

/** Undefined before the first start, or if the note is damaged: then the state counts as this deployment's. */
async function knownDeployment(path: string): Promise<string | undefined> {
  const parsed = deploymentSchema.safeParse(await readRecordOrNull(path));
  return parsed.success ? parsed.data.deployment : undefined;
}
