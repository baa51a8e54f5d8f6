/** One participant at one page: the account, the task, the data, and taking part. */
import { join } from "node:path";
import type { Readable } from "node:stream";
import { z } from "zod";
import { ensure } from "../../protocol/errors.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { Reporter } from "../../protocol/reporter.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { encodeRecord, readRecordOrNull, writeDurably } from "../../storage/durable-file.ts";
import type { SharedRecords } from "../../storage/own-record.ts";
import { acceptInvitation } from "../invited.ts";
import type { TaskAddress } from "../invited.ts";
import { createAccountKeeper } from "./account.ts";
import type { AccountKeeper } from "./account.ts";
import { openChosenTask } from "./chosen-task.ts";
import type { ChosenTask } from "./chosen-task.ts";
import { dataAt, keepData, previewOf, specOf } from "./kept-data.ts";
import type { ConnectedData } from "./kept-data.ts";
import { createRunner, failureIn } from "./run.ts";
import type { Join, Runner } from "./run.ts";
import type { Contribution, PageAccount, PageData, PageState, PageTask } from "./state.ts";

export interface SessionOptions {
  /** Private; holds the keystore, data that the page sent, and the client's state directory. */
  readonly folder: string;
  readonly confirmations?: number | undefined;
  readonly records: SharedRecords;
  readonly reporter: Reporter;
  readonly random: RandomBytes;
  readonly join: Join;
  /** Unix milliseconds. */
  readonly now: () => number;
}

export interface Session {
  state(): PageState;
  /** Resolves when the state is another one than this revision's, or after the time. */
  changed(revision: number, milliseconds: number): Promise<void>;
  makeAccount(password: string): Promise<void>;
  importAccount(secret: string, password: string): Promise<void>;
  openAccount(password: string): Promise<void>;
  /** @throws what `openChosenTask` throws */
  chooseTask(address: TaskAddress): Promise<void>;
  /** @param text of an invitation's file @throws INVITATION_REFUSED */
  chooseInvited(text: string): Promise<void>;
  keepData(name: string, content: Readable): Promise<void>;
  connectPath(path: string): Promise<void>;
  pickLabel(label: string | null, classes: string | null): Promise<void>;
  start(): Promise<void>;
  pause(): Promise<void>;
  /** Ends taking part, and lets another task be chosen. */
  leave(): Promise<void>;
  /** Looks at the chain; what fails is shown as trouble. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

const settingsSchema = z.strictObject({
  task: z
    .strictObject({ contract: z.string(), chainId: z.string(), rpc: z.array(z.string()), peers: z.array(z.string()) })
    .nullable(),
  data: z
    .strictObject({
      path: z.string(),
      name: z.string(),
      isKept: z.boolean(),
      label: z.string().nullable(),
      classes: z.string().nullable(),
    })
    .nullable(),
});

export async function openSession(options: SessionOptions): Promise<Session> {
  const { folder, confirmations, records, reporter, random, join: joinTask, now } = options;
  const keystore = join(folder, "account.json");
  const settingsFile = join(folder, "page.json");
  const keeper: AccountKeeper = createAccountKeeper(keystore, random);
  const waiting = new Set<() => void>();
  let revision = 1;
  let account: PageAccount | null = null;
  let chosen: ChosenTask | undefined;
  let task: PageTask | null = null;
  let connected: ConnectedData | undefined;
  let data: PageData | null = null;
  let history: readonly Contribution[] = [];

  const touch = (): void => {
    revision += 1;
    for (const wake of waiting) wake();
    waiting.clear();
  };
  const runner: Runner = createRunner({ reporter, random, join: joinTask, onChange: touch, now });

  const keepSettings = async (): Promise<void> => {
    const { contract, chainId, rpc, peers } = chosen?.address ?? {};
    const place =
      contract === undefined ? null : { contract, chainId: String(chainId), rpc: [...rpc!], peers: [...peers!] };
    await writeDurably(settingsFile, encodeRecord({ task: place, data: connected ?? null }));
  };
  const readAccount = async (): Promise<void> => {
    const kept = await keeper.read();
    account = kept === undefined ? null : { address: kept.address, isOpen: kept.wallet !== undefined, file: keystore };
  };
  const look = async (): Promise<void> => {
    const asked = chosen;
    if (asked === undefined) return;
    const next = await asked.read(account?.address);
    const contributed = account === null ? [] : await asked.contributions(account.address);
    // It was left, or another one was chosen, meanwhile.
    if (chosen !== asked) return;
    if (JSON.stringify([next, contributed]) === JSON.stringify([task, history])) return;
    [task, history] = [next, contributed];
    touch();
  };
  const refresh = async (): Promise<void> => {
    try {
      await look();
    } catch (error) {
      const { code, message } = failureIn(error);
      const trouble = `${code}: ${message}`;
      if (task === null || task.trouble === trouble) return;
      task = { ...task, trouble };
      touch();
    }
  };
  const preview = async (next: ConnectedData): Promise<void> => {
    const shown = await previewOf(next, chosen?.expected);
    [connected, data] = [next, shown];
    await keepSettings();
    touch();
  };
  const choose = async (address: TaskAddress): Promise<void> => {
    ensureIdle(runner);
    const next = await openChosenTask(address, confirmations, reporter);
    [chosen, task, history] = [next, await next.read(account?.address), []];
    if (connected !== undefined) data = await previewOf(connected, next.expected);
    await keepSettings();
    await look();
    touch();
  };
  const restore = async (): Promise<void> => {
    const { data: settings } = settingsSchema.safeParse(await readRecordOrNull(settingsFile));
    if (settings === undefined) return;
    // What is away now is chosen again by hand.
    const tried = async (work: Promise<void>, what: string): Promise<void> =>
      work.catch((error: unknown) => reporter.say("warn", "not-restored", `${what}: ${failureIn(error).message}`));
    if (settings.task !== null) {
      const { contract, chainId, rpc, peers } = settings.task;
      await tried(choose({ contract: contract as Hex, chainId: BigInt(chainId), rpc, peers }), "the task");
    }
    if (settings.data !== null) await tried(preview(settings.data), "the data");
  };
  const withAccount = async (work: Promise<void>): Promise<void> => {
    await work;
    await readAccount();
    await refresh();
    touch();
  };
  await readAccount();
  // The chain may be away: the page is there meanwhile.
  void restore();

  return {
    state: () => ({
      ...{ revision, account, task, data, history },
      run: runner.read(),
      events: runner.events(),
      left: {
        proofBytes: history.reduce((sum, { proofBytes }) => sum + proofBytes, 0),
        shareBytes: history.reduce((sum, { shareBytes }) => sum + shareBytes, 0),
        rows: 0,
      },
    }),
    changed: (seen, milliseconds) =>
      new Promise((resolve) => {
        if (seen !== revision) return resolve();
        const timer = setTimeout(done, milliseconds);
        function done(): void {
          clearTimeout(timer);
          waiting.delete(done);
          resolve();
        }
        waiting.add(done);
      }),
    makeAccount: (password) => withAccount(keeper.make(password)),
    importAccount: (secret, password) => withAccount(keeper.import(secret, password)),
    openAccount: (password) => withAccount(keeper.open(password)),
    chooseTask: choose,
    chooseInvited: async (text) => {
      const file = join(folder, "invitation.json");
      await writeDurably(file, text);
      const asked = confirmations === undefined ? {} : { confirmations };
      await choose(await acceptInvitation(file, asked, Math.floor(now() / 1000)));
    },
    keepData: async (name, content) => {
      ensureIdle(runner);
      await preview(await keepData(join(folder, "data"), name, content));
    },
    connectPath: async (path) => {
      ensureIdle(runner);
      await preview(dataAt(path));
    },
    pickLabel: async (label, classes) => {
      ensureIdle(runner);
      ensure(connected !== undefined, "USAGE", "connect data first: a label is one of its columns");
      await preview({ ...connected, label, classes });
    },
    start: async () => {
      const kept = await keeper.read();
      ensure(kept?.wallet !== undefined, "KEY_MISSING", "open the account with its password first");
      ensure(chosen !== undefined, "USAGE", "choose a task first");
      ensure(connected !== undefined, "USAGE", "connect data first");
      const { contract, chainId, rpc, peers } = chosen.address;
      runner.start({
        ...{ contract, chainId, rpc, peers, wallet: kept.wallet, records },
        ...(confirmations === undefined ? {} : { confirmations }),
        stateDirectory: join(folder, "client"),
        data: specOf(connected),
      });
    },
    pause: () => runner.pause(),
    leave: async () => {
      await runner.pause();
      runner.clear();
      [chosen, task, history] = [undefined, null, []];
      await keepSettings();
      touch();
    },
    refresh,
    close: () => runner.pause(),
  };
}

/** Task and data stay as they are while a client runs on them. */
function ensureIdle(runner: Runner): void {
  const { state } = runner.read();
  const isIdle = state !== "starting" && state !== "running" && state !== "pausing";
  ensure(isIdle, "USAGE", "this client takes part already: pause it before task or data are changed");
}
