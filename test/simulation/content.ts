/** Published directories in memory: what each party holds outlives its processes, and is had from whoever is up. */
import type { ContentStore } from "../../content/store.ts";
import { buildDirectory } from "../../content/profile.ts";
import { VerisumError } from "../../protocol/errors.ts";

type Directory = Readonly<Record<string, Uint8Array>>;

export class SharedContent {
  readonly #held = new Map<string, Map<string, Directory>>();
  readonly #altered = new Map<string, (files: Directory) => Directory>();

  /** Whatever this party publishes from now on is something else. */
  alter(party: string, change: (files: Directory) => Directory): void {
    this.#altered.set(party, change);
  }

  /** Stores a directory at a party. Returns its CID. */
  async put(party: string, given: Directory): Promise<string> {
    const files = this.#altered.get(party)?.(given) ?? given;
    const { root } = await buildDirectory(files);
    this.#of(party).set(root.toString(), files);
    return root.toString();
  }

  /** Copies a directory from one party to others. */
  copy(cid: string, from: string, to: readonly string[]): void {
    const files = this.#of(from).get(cid);
    if (files !== undefined) for (const party of to) this.#of(party).set(cid, files);
  }

  /**
   * A file, from the first of these parties that holds it.
   * @throws IPFS_UNAVAILABLE, IPFS_NOT_FOUND, IPFS_LIMIT_EXCEEDED
   */
  read(parties: readonly string[], cid: string, name: string, maxBytes: number): Uint8Array {
    const holder = parties.find((party) => this.#of(party).has(cid));
    if (holder === undefined) throw unavailable(cid);
    const file = this.#of(holder).get(cid)![name];
    if (file === undefined) throw new VerisumError("IPFS_NOT_FOUND", `${cid} has no ${name}`, { cid });
    if (file.length > maxBytes) throw new VerisumError("IPFS_LIMIT_EXCEEDED", `${name} is too long`, { cid });
    return file;
  }

  holds(party: string, cid: string): boolean {
    return this.#of(party).has(cid);
  }

  /** What any party published under this name. */
  everywhere(cid: string): Directory | undefined {
    return [...this.#held.values()].map((directories) => directories.get(cid)).find((files) => files !== undefined);
  }

  #of(party: string): Map<string, Directory> {
    const known = this.#held.get(party) ?? new Map<string, Directory>();
    this.#held.set(party, known);
    return known;
  }
}

export function unavailable(cid: string): VerisumError {
  return new VerisumError("IPFS_UNAVAILABLE", `nobody who answers has ${cid}`, { cid });
}

/** A store of which the roles use four methods; the others are no part of a round. */
export function storeOf(methods: Pick<ContentStore, "has" | "pin" | "putDirectory" | "getFile">): ContentStore {
  const absent = (): Promise<never> => Promise.reject(new Error("no role calls this in a round"));
  return {
    ...methods,
    list: absent,
    exportCar: absent,
    importCar: absent,
    pins: absent,
    roots: absent,
    remove: absent,
    getLocalBlock: absent,
    close: () => Promise.resolve(),
  };
}
