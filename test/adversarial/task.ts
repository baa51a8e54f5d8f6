/** The smallest task that has every part: four members, two clients, fifteen weights in one chunk. */
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { prepareTask } from "../../operator/prepare-task.ts";
import type { PreparedTask } from "../../operator/prepare-task.ts";
import { csprng } from "../support/round-harness.ts";
import { TINY_SPECIFICATION } from "../support/tiny-specification.ts";

export const CLIENTS = 2;
export const MEMBERS = TINY_SPECIFICATION.committee.size;

/** Windows that no single fault can use up: what is lost all the same had time left. */
const LONG = { key: 600, collect: 3600, attest: 3600, aggregate: 3600 };

const SPECIFICATION = {
  ...TINY_SPECIFICATION,
  document: {
    ...TINY_SPECIFICATION.document,
    model: { kind: "mlp", inputShape: [4], hidden: [], classCount: 3 },
  },
  clients: { min: CLIENTS, minHonest: CLIENTS, maxCorrupt: 0, openRegistration: false },
};

export interface AdversarialTask {
  readonly prepared: PreparedTask;
  /** What clients train on. */
  readonly data: string;
  /** Gives an aggregator the published content. */
  publishTo(storeDirectory: string): Promise<void>;
}

/** Publishes the task into a folder, from which each chain's aggregator takes it. */
export async function prepareAdversarialTask(
  directory: string,
  windowSeconds: typeof LONG = LONG,
): Promise<AdversarialTask> {
  const store = join(directory, "published");
  const data = join(directory, "flowers.csv");
  const prepared = await prepareTask({ ...SPECIFICATION, windowSeconds }, store, csprng, () => undefined);
  await writeFile(data, table());
  return {
    prepared,
    data,
    publishTo: async (storeDirectory) => {
      await mkdir(storeDirectory, { recursive: true });
      await cp(store, storeDirectory, { recursive: true });
    },
  };
}

/** Three classes of flowers: each has one long feature. */
function table(): string {
  const rows = Array.from({ length: 30 }, (_, i) => {
    const features = Array.from({ length: 4 }, (_, place) => (place === i % 3 ? 1 : 0.1 * ((i + place) % 4)));
    return [...features, i % 3].join(",");
  });
  return `${["a,b,c,d,label", ...rows].join("\n")}\n`;
}
