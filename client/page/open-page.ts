/** What `fl-client open` does: serves the participant's page on loopback, until it is stopped. */
import { spawn } from "node:child_process";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { openEndpoint } from "../../chain/rpc.ts";
import { platformRandom } from "../../command/platform-random.ts";
import { abortableSleep } from "../../command/sleep.ts";
import { userRecords } from "../../command/user-records.ts";
import type { Reporter } from "../../protocol/reporter.ts";
import { writeDurably } from "../../storage/durable-file.ts";
import { listenAt } from "../../task/endpoint.ts";
import { joinTask } from "../join.ts";
import { createPageServer } from "./page-server.ts";
import { openSession } from "./session.ts";

export interface OpenFlags {
  readonly port: number;
  readonly state: string;
  readonly confirmations?: number;
  readonly browser: boolean;
  readonly format: "text" | "json";
}

const HOST = "127.0.0.1";
const LOOK_MS = 1_000;

/**
 * @param onAddress told of the address that opens a window, and of the next one once it was used
 * @throws LISTEN_FAILED, INTERRUPTED
 */
export async function openPage(
  { port, state, confirmations, browser }: OpenFlags,
  reporter: Reporter,
  signal: AbortSignal,
  onAddress: (address: string) => void = () => undefined,
): Promise<never> {
  let origin = "";
  const session = await openSession({
    ...{ folder: state, confirmations, records: userRecords(), reporter, random: platformRandom },
    ...{ join: joinTask, now: Date.now },
  });
  const { app, guard } = await createPageServer({
    ...{ session, random: platformRandom, reporter, origin: () => origin },
    chainIdAt: async (rpc) => (await openEndpoint(rpc, undefined)).chainId,
    onOpened: () => say("for another window"),
  });
  const say = (what: string): string => {
    const address = `${origin}/#${guard.code()}`;
    reporter.say("good", "page", `${what}: ${address}`);
    onAddress(address);
    return address;
  };
  try {
    await listenAt(app, { host: HOST, port });
    origin = `http://${HOST}:${(app.server.address() as AddressInfo).port}`;
    const address = say("your page, for one window of your own browser");
    if (browser) await openBrowser(join(state, "open.html"), address);
    const sleep = abortableSleep(signal);
    for (;;) {
      await session.refresh();
      await sleep(LOOK_MS);
    }
  } finally {
    await app.close();
  }
}

const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ["open"],
  linux: ["xdg-open"],
  win32: ["cmd", "/c", "start", ""],
};

/**
 * Where there is no browser, the printed address is enough.
 * @param file that leads to the address: words of a command line can be read by other users of the machine
 */
async function openBrowser(file: string, address: string): Promise<void> {
  const [program, ...words] = OPENERS[process.platform] ?? [];
  if (program === undefined) return;
  await writeDurably(
    file,
    `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=${address}">\n`,
  );
  const child = spawn(program, [...words, resolve(file)], { detached: true, stdio: "ignore" });
  child.on("error", () => undefined);
  child.unref();
}
