/** A task as every role opens it: parameters checked, document fetched, layout known. */
import type { Layout } from "../protocol/layout.ts";
import type { PublishedFiles, VectorCommitter } from "../protocol/ports.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { ReleaseStatement, SettledRecord, TaskReader } from "../chain/task-chain.ts";
import type { ContentStore } from "../content/store.ts";
import type { TensorShape } from "./checkpoint.ts";
import type { TaskDocument } from "./document.ts";

export interface OpenTask {
  readonly chain: TaskReader;
  readonly store: PublishedFiles;
  readonly parameters: TaskParameters;
  readonly parametersHash: Hex;
  readonly document: TaskDocument;
  readonly layout: Layout;
  readonly tensors: readonly TensorShape[];
  /** Of a task whose document names a group. */
  readonly cells?: TaskCells;
}

/** A task of a role that publishes. */
export interface PublishingTask extends OpenTask {
  readonly store: ContentStore;
}

/** A task with its powers of tau at hand. */
export interface CommittingTask extends PublishingTask {
  readonly committer: VectorCommitter;
}

/** The group that a task's contract is a cell of. */
export interface TaskCells {
  /** The address in the task's document. */
  readonly group: Hex;

  /** Every cell by place, this one among them. */
  readonly cells: readonly Hex[];

  /** The others, by place. */
  readonly siblings: readonly TaskReader[];

  /** A sibling's releases, by its nodes: before it finalises, its chain has none. */
  readonly releasesOf: (sibling: TaskReader, settled: SettledRecord) => Promise<readonly ReleaseStatement[]>;
}
