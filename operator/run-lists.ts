/** What `fl-operator add-member`, `add-client`, `remove-client`, `replace-member`, `list` and `open` do. */
import { connectReader } from "../chain/connect.ts";
import { loadWallet } from "../chain/key-file.ts";
import type { CommonFlags } from "../command/options.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { Hex } from "../protocol/transcript.ts";
import { changeLists } from "./change-lists.ts";
import type { ListChange } from "./list-changes.ts";
import { linesOf, readListing } from "./listing.ts";
import { openNextRound } from "./open-round.ts";
import { recording } from "./recording.ts";
import type { PaymentFlags } from "./recording.ts";
import { registerLater } from "./register.ts";
import type { Roster } from "./roster.ts";
import { requireWritable } from "./run-create-task.ts";

export interface AddFlags extends PaymentFlags {
  readonly contract: Hex;
  readonly fund?: bigint;
}

export interface OpenFlags extends PaymentFlags {
  readonly contract: Hex;
}

export type ListFlags = Pick<CommonFlags, "contract" | "rpc" | "chainId" | "confirmations" | "fromBlock" | "format">;

/** Registers and funds whom the contract does not know yet; prints its address. @throws as `registerLater` */
export async function runAdd(
  { contract, fund, ...flags }: AddFlags,
  accounts: Roster,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const wallet = await loadWallet(flags.key, process.env);
  await requireWritable(flags.out);
  const roster = { ...accounts, ...(fund === undefined ? {} : { fundWei: fund }) };
  const purpose = { kind: "register", operator: wallet.address, contract };
  await recording(flags, reporter, purpose, roster, async (record) => {
    const onStep = (step: string): void => reporter.say("info", "step", step);
    const { chainId, maxFeePerGas } = flags;
    await registerLater(flags.rpc, contract, wallet, roster, onStep, { chainId, maxFeePerGas, record, signal });
    return contract;
  });
}

/** Changes a list from the next round on; prints that round's number. @throws as `changeLists` */
export async function runChange(
  { contract, fund, ...flags }: AddFlags,
  wanted: ListChange,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const wallet = await loadWallet(flags.key, process.env);
  await requireWritable(flags.out);
  const change = fund === undefined ? wanted : { ...wanted, fundWei: fund };
  const purpose = { kind: change.kind, account: wallet.address, contract };
  await recording(flags, reporter, purpose, change, async (record) => {
    const onStep = (step: string): void => reporter.say("info", "step", step);
    const onWarning = (text: string): void => reporter.say("warn", "rounds-stop", text);
    const options = { chainId: flags.chainId, maxFeePerGas: flags.maxFeePerGas, record, signal, onWarning };
    return (await changeLists(flags.rpc, contract, wallet, change, onStep, options)).toString();
  });
}

/** Prints members, clients and what keeps the next round from opening. @throws as `connectReader` */
export async function runList({ format, ...flags }: ListFlags): Promise<void> {
  const listing = await readListing(await connectReader(flags));
  process.stdout.write(
    format === "json"
      ? `${JSON.stringify({ schemaVersion: 1, status: "ok", data: listing })}\n`
      : `${linesOf(listing).join("\n")}\n`,
  );
}

/** Opens the next round and prints its number. @throws as `openNextRound` */
export async function runOpen(flags: OpenFlags, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const wallet = await loadWallet(flags.key, process.env);
  await requireWritable(flags.out);
  const purpose = { kind: "open", account: wallet.address, contract: flags.contract };
  await recording(flags, reporter, purpose, null, async (record) => {
    const { round, expected } = await openNextRound(flags.rpc, flags.contract, wallet, {
      ...{ chainId: flags.chainId, maxFeePerGas: flags.maxFeePerGas, record, signal },
    });
    reporter.say("good", "opened", `round ${round} is open to ${expected} clients`, { round, expected });
    return round.toString();
  });
}
