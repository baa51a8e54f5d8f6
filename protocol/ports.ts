/** What the rules and the roles need from outside: heavy curve work, and time. */
import type { G1, G2 } from "./points.ts";

/** KZG commitments and openings over a task's powers of tau (Kate, Zaverucha, Goldberg 2010). */
export interface VectorCommitter {
  /** Elements the longest vector may have. */
  readonly capacity: number;
  /** [p(tau)]_1 for the polynomial with these coefficients, ascending. @throws ENCODING_LENGTH beyond the capacity */
  commit(elements: readonly bigint[]): Promise<G1>;
}

/** The wires of one chunk that its D commits to; the histogram follows from the rows. */
export interface ChunkWires {
  /** x_i, rows of the lookup table, `kind.coordinates` of them. */
  readonly rows: Uint16Array;
  /** mu_0 … mu_2. */
  readonly masks: readonly bigint[];
  readonly blinder: bigint;
}

/** All private inputs of one chunk's circuit. */
export interface ChunkWitness extends ChunkWires {
  /** Squared norm of the chunks before this one. */
  readonly accumulatedBefore: bigint;
  /** Salt of the previous chunk's h; 0 for the first chunk. */
  readonly saltBefore: bigint;
  /** Salt of this chunk's h. */
  readonly salt: bigint;
}

/** The public inputs that the verifier chooses. */
export interface ChunkChallenge {
  readonly alpha: bigint;
  readonly z: bigint;
  /** Bound on the squared norm up to and including this chunk. */
  readonly bound: bigint;
}

/** A Groth16 proof with the two outputs of the chunk circuit. */
export interface ChunkProofPoints {
  readonly a: G1;
  readonly b: G2;
  readonly c: G1;
  readonly y: bigint;
  readonly h: bigint;
}

/**
 * Proves chunks with one set of keys; commit first, then prove at the challenge that the commitment led to. All chunks
 * of an update are asked for at once: how many are worked on at a time, and in how much memory, is the prover's
 * decision.
 */
export interface ChunkProver {
  /** D = Σ (committed wire)·K_i/sigma. */
  commitWires(kindIndex: number, wires: ChunkWires): Promise<G1>;
  /** @throws UPDATE_OVER_BOUND if the witness does not satisfy the circuit */
  prove(kindIndex: number, witness: ChunkWitness, challenge: ChunkChallenge): Promise<ChunkProofPoints>;
  close(): Promise<void>;
}
export type Sleep = (milliseconds: number) => Promise<void>;

/** A thread that answers one task at a time: of Node, or a browser's worker. */
export interface Thread<Task> {
  /** @param transfer the task's buffers, which it takes away */
  send(task: Task, transfer: readonly ArrayBuffer[]): void;
  /** Whether the thread keeps its process alive. */
  hold(holds: boolean): void;
  end(): Promise<void>;
}

/** Where threads come from. */
export interface Threads<Task, Answer> {
  /** Most that are worth having at once. */
  readonly limit: number;
  /** A thread that fails is gone, and its task with it. */
  start(listener: { answer(answer: Answer): void; failure(error: Error): void }): Thread<Task>;
}

/** The files of one folder, by plain names. */
export interface Files {
  read(name: string): Promise<Uint8Array>;
}

/** Published directories by CID. What it returns has been compared with the CID, block by block. */
export interface PublishedFiles {
  /** One file of a directory. @throws IPFS_* */
  getFile(cid: string, name: string, limits: { readonly maxBytes: number }): Promise<Uint8Array>;
}

/**
 * Runs a check of these contents, unless they have passed it before.
 * @param name of the check
 * @throws what the check throws
 */
export type CheckOnce = (name: string, contents: readonly Uint8Array[], check: () => Promise<void>) => Promise<void>;

/** SHA-256 by the platform, for what is too long for a digest in JavaScript. */
export type Sha256 = (bytes: Uint8Array) => Promise<Uint8Array>;
