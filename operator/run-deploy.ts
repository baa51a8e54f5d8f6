/** What `fl-operator deploy` and `deploy-group` do. */
import { join } from "node:path";
import { loadWallet } from "../chain/key-file.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { parametersHash } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import { writeDurably } from "../storage/durable-file.ts";
import { buildContracts } from "./build-contracts.ts";
import { deployEmptyGroup } from "./deploy-group.ts";
import { deployPreparedTask } from "./deploy-task.ts";
import { readPreparedTask } from "./prepare-task.ts";
import { recording } from "./recording.ts";
import type { PaymentFlags } from "./recording.ts";
import type { Roster } from "./roster.ts";
import { requireWritable } from "./run-create-task.ts";

interface RosterFlags {
  readonly member: readonly Hex[];
  readonly client: Roster["clients"];
  readonly fund?: bigint;
}

export interface DeployFlags extends PaymentFlags, RosterFlags {
  readonly deployment: string;
  readonly groupKey?: string;
  readonly confirmations?: number;
  readonly acceptShortWindows: boolean;
}

export interface DeployGroupFlags extends PaymentFlags {
  readonly cells: number;
}

/**
 * Deploys, registers, writes the deployment down in deployments/ unless told, and prints the address.
 * @throws as `deployPreparedTask`
 */
export async function runDeploy(flags: DeployFlags, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const prepared = await readPreparedTask(flags.deployment);
  const wallet = await loadWallet(flags.key, process.env);
  const groupWallet = flags.groupKey === undefined ? wallet : await loadWallet(flags.groupKey, process.env);
  await requireWritable(flags.out);
  await buildContracts();
  const roster = rosterOf(flags);
  const purpose = {
    kind: "deploy",
    operator: wallet.address,
    parameters: parametersHash(prepared.parameters),
    group: prepared.group ?? "",
  };
  await recording(flags, reporter, purpose, roster, async (record) => {
    const { contract, chainId, blockNumber } = await deployPreparedTask(
      flags.rpc,
      wallet,
      prepared,
      roster,
      (step) => reporter.say("info", "step", step),
      {
        ...{ groupWallet, chainId: flags.chainId, maxFeePerGas: flags.maxFeePerGas, record, signal },
        ...{ confirmations: flags.confirmations, acceptShortWindows: flags.acceptShortWindows },
      },
    );
    const name = prepared.group === undefined ? chainId : `${chainId}-${contract}`;
    const { keysHash } = prepared.parameters;
    await writeDurably(
      join(flags.out, `${name}.json`),
      `${JSON.stringify({ contract, blockNumber, keysHash }, undefined, 2)}\n`,
    );
    return contract;
  });
}

/** Deploys an empty group and prints its address. @throws as `deployEmptyGroup` */
export async function runDeployGroup(flags: DeployGroupFlags, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const wallet = await loadWallet(flags.key, process.env);
  await requireWritable(flags.out);
  await buildContracts();
  const purpose = { kind: "group", operator: wallet.address, cells: flags.cells };
  await recording(flags, reporter, purpose, null, async (record) => {
    const { contract, gasUsed } = await deployEmptyGroup(flags.rpc, wallet, flags.cells, {
      chainId: flags.chainId,
      maxFeePerGas: flags.maxFeePerGas,
      record,
      signal,
    });
    const next = `next, npm run create-task -- --group ${contract}`;
    reporter.say("good", "deployed", `a group of ${flags.cells} cells, ${gasUsed} gas; ${next}`);
    return contract;
  });
}

function rosterOf({ member: members, client: clients, fund }: RosterFlags): Roster {
  return { members, clients, ...(fund === undefined ? {} : { fundWei: fund }) };
}
