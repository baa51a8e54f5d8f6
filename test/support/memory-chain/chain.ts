/** Blocks, clock and contracts of a chain in memory. */
import { getCreateAddress, keccak256, toBeHex } from "ethers";
import type { SendName } from "../../../chain/contract-calls.ts";
import type { VerisumEvents, VerisumFunctions } from "../../../chain/generated/verisum.ts";
import type { EventName, TaskLog } from "../../../chain/logs.ts";
import type { BlockReference } from "../../../chain/origin.ts";
import type { CellGroupRecord, ChainBlock, Receipt } from "../../../chain/task-chain.ts";
import { VerisumError } from "../../../protocol/errors.ts";
import { parametersHash } from "../../../protocol/task.ts";
import type { TaskParameters } from "../../../protocol/task.ts";
import { G1_INFINITY } from "../../../protocol/points.ts";
import { deploymentOf, ZERO_WORD } from "../../../protocol/transcript.ts";
import type { Hex } from "../../../protocol/transcript.ts";
import { word } from "../random.ts";
import { registration } from "./registration.ts";
import { rounds } from "./rounds.ts";
import { settling } from "./settling.ts";
import type { Call, Calls, State } from "./state.ts";
import { submissions } from "./submissions.ts";

/** Every function of the contract that changes something. */
const CALLS: Calls<SendName<VerisumFunctions>> = { ...registration, ...submissions, ...settling, ...rounds };

/** Seconds; the first block's timestamp. */
const GENESIS_TIME = 1_700_000_000;

/** A contract on the chain. */
export interface MemoryContract {
  state: State;
  readonly keys: Uint8Array;
  /** That it was deployed in. */
  readonly block: number;
  readonly logs: TaskLog[];
}

/** `id` is of this block alone; a number can be of others as well. */
interface Mined {
  readonly number: number;
  readonly timestamp: number;
  readonly id: number;
  readonly parent: Mined | undefined;
}

/** Everything that a block stands for, to come back to. */
export interface Snapshot {
  readonly latest: Mined;
  readonly transactions: ReadonlyMap<Hex, number>;
  readonly contracts: ReadonlyMap<Hex, { readonly state: State; readonly logs: readonly TaskLog[] }>;
}

/** A call with the arguments that the contract's interface gives it. */
export type Arguments<N extends SendName<VerisumFunctions>> = VerisumFunctions[N]["inputs"];

export class MemoryChain {
  readonly chainId: bigint;
  readonly #contracts = new Map<Hex, MemoryContract>();
  readonly #groups = new Map<Hex, CellGroupRecord>();
  /** Transactions of each account. */
  readonly #nonces = new Map<Hex, number>();
  #clock = GENESIS_TIME;
  #latest: Mined = { number: 0, timestamp: GENESIS_TIME, id: 0, parent: undefined };
  #blocks = 0;
  #transactions = 0n;

  constructor(chainId = 31_337n) {
    this.chainId = chainId;
  }

  /** Sets the clock, in Unix seconds. Blocks follow it, each at least a second after the one before. */
  setTime(seconds: number): void {
    this.#clock = seconds;
  }

  /** Timestamp that the next block would have. */
  get nextTime(): number {
    return Math.max(this.#clock, this.#latest.timestamp + 1);
  }

  /** Number of the latest block. */
  get blockNumber(): number {
    return this.#latest.number;
  }

  /** Of the latest block, in Unix seconds. */
  get latestTime(): number {
    return this.#latest.timestamp;
  }

  /** Stands for the latest block: the same object as long as that is the latest one. */
  get tip(): object {
    return this.#latest;
  }

  /** The latest block. */
  get latest(): BlockReference {
    return { number: this.#latest.number, hash: word(`block ${this.#latest.id}`) };
  }

  /** Adds empty blocks. */
  mine(blocks = 1): void {
    for (let i = 0; i < blocks; i++) {
      const parent = this.#latest;
      this.#latest = { number: parent.number + 1, timestamp: this.nextTime, id: ++this.#blocks, parent };
    }
  }

  /** A block of the present branch; undefined above the latest one. */
  blockAt(number: number): ChainBlock | undefined {
    let block: Mined | undefined = this.#latest;
    while (block !== undefined && block.number > number) block = block.parent;
    if (block?.number !== number) return undefined;
    return { number, timestamp: block.timestamp, hash: word(`block ${block.id}`) };
  }

  /** The chain as it is. A call replaces a contract's state as a whole, so that nothing is copied. */
  snapshot(): Snapshot {
    const contracts = [...this.#contracts].map(([address, { state, logs }]) => [address, { state, logs: [...logs] }]);
    return {
      latest: this.#latest,
      transactions: new Map(this.#nonces),
      contracts: new Map(contracts as [Hex, { state: State; logs: TaskLog[] }][]),
    };
  }

  /** Undoes every block after the snapshot's. Contracts that were deployed since stay as they are. */
  restore({ latest, transactions, contracts }: Snapshot): void {
    this.#latest = latest;
    this.#nonces.clear();
    for (const [account, count] of transactions) this.#nonces.set(account, count);
    for (const [address, { state, logs }] of contracts) {
      const contract = this.contractAt(address);
      contract.state = state;
      contract.logs.splice(0, contract.logs.length, ...logs);
    }
  }

  /**
   * Puts a task on the chain, at the address that the operator's transaction would give it. Nothing is checked.
   * @param deployment the identity of a contract that this one is compared with; its own if absent
   */
  deploy(parameters: TaskParameters, operator: Hex, keys: Uint8Array = new Uint8Array(0), deployment?: Hex): Hex {
    const contract = this.#addressFor(operator);
    const hash = parametersHash(parameters);
    const [parentHash, prevRandao] = [toBeHex(this.#latest.number, 32) as Hex, ZERO_WORD];
    const identity = { chainId: this.chainId, contract, parametersHash: hash, parentHash, prevRandao };
    const context = { chainId: this.chainId, contract, deployment: deployment ?? deploymentOf(identity) };
    this.mine();
    const header = { number: 0n, phase: "Idle", deadline: 0n, expected: 0, submitted: 0, totalWeight: 0n } as const;
    const state: State = {
      context,
      parameters,
      parametersHash: hash,
      operator,
      seats: [],
      successors: new Map(),
      listChanges: 0,
      roundKeys: new Map(),
      clients: new Map(),
      keyWindowStart: BigInt(this.#latest.timestamp),
      header: { ...header, keyMask: 0n },
      sum: G1_INFINITY,
      records: [],
      roundHash: ZERO_WORD,
      proposedMembers: 0n,
      included: 0n,
      refused: 0n,
      model: { round: 0n, cid: parameters.genesisCid, digest: parameters.genesisDigest },
      modelDigests: [parameters.genesisDigest],
      finalisedRounds: 0,
      privacySpent: 0n,
      progress: new Map(),
    };
    this.#contracts.set(contract, { state, keys, block: this.#latest.number, logs: [] });
    return contract;
  }

  /** Puts a group of cells on the chain. */
  deployGroup(group: CellGroupRecord, operator: Hex): Hex {
    const address = this.#addressFor(operator);
    this.mine();
    this.#groups.set(address, group);
    return address;
  }

  /** @throws CHAIN_NO_CONTRACT */
  contractAt(address: Hex): MemoryContract {
    return this.#found(this.#contracts, address);
  }

  /** @throws CHAIN_NO_CONTRACT */
  groupAt(address: Hex): CellGroupRecord {
    return this.#found(this.#groups, address);
  }

  /** Sends a call, in a block of its own. A call that is refused leaves no trace. @throws CHAIN_REVERTED */
  send<N extends SendName<VerisumFunctions>>(
    contract: Hex,
    sender: Hex,
    name: N,
    args: Arguments<N>,
    valueWei = 0n,
  ): Receipt {
    const deployed = this.contractAt(contract);
    const { state, events } = this.#execute(deployed, sender, name, args, valueWei);
    this.mine();
    this.#nonces.set(sender, (this.#nonces.get(sender) ?? 0) + 1);
    const transactionHash = keccak256(toBeHex(++this.#transactions, 32)) as Hex;
    const blockNumber = this.#latest.number;
    deployed.state = state;
    deployed.logs.push(...events.map((event, index) => ({ ...event, blockNumber, index, transactionHash }) as TaskLog));
    return { transactionHash, gasUsed: 0n, blockNumber };
  }

  /** What the call would do now; nothing is kept. @throws CHAIN_REVERTED */
  simulate<N extends SendName<VerisumFunctions>>(contract: Hex, sender: Hex, name: N, args: Arguments<N>): void {
    this.#execute(this.contractAt(contract), sender, name, args, 0n);
  }

  #execute<N extends SendName<VerisumFunctions>>(
    { state: before }: MemoryContract,
    sender: Hex,
    name: N,
    args: Arguments<N>,
    valueWei: bigint,
  ): { readonly state: State; readonly events: readonly { readonly name: EventName; readonly args: unknown }[] } {
    const events: { readonly name: EventName; readonly args: unknown }[] = [];
    const state = structuredClone(before);
    const emit = <E extends EventName>(event: E, values: VerisumEvents[E]): void =>
      void events.push({ name: event, args: structuredClone(values) });
    const call: Call = { state, sender, valueWei, now: BigInt(this.nextTime), emit };
    CALLS[name](call, ...args);
    return { state, events };
  }

  #addressFor(operator: Hex): Hex {
    const nonce = this.#nonces.get(operator) ?? 0;
    this.#nonces.set(operator, nonce + 1);
    return getCreateAddress({ from: operator, nonce }).toLowerCase() as Hex;
  }

  #found<T>(places: ReadonlyMap<Hex, T>, address: Hex): T {
    const found = places.get(address.toLowerCase() as Hex);
    if (found !== undefined) return found;
    const details = { contract: address, chainId: this.chainId };
    throw new VerisumError("CHAIN_NO_CONTRACT", `chain ${this.chainId} has no contract at ${address}`, details);
  }
}
