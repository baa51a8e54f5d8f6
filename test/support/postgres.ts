/** A PostgreSQL server of a test's own: on a private socket, in a folder of its own, by an unprivileged user. */
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, globSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** Where the programs are: what the environment names, else where Debian's packages put them. */
const FOLDERS = [process.env["POSTGRES_BIN"], ...globSync("/usr/lib/postgresql/*/bin").sort().reverse()];
/** Debian's user without rights; PostgreSQL refuses to run as root. */
const NOBODY = 65_534;
const STARTING_MS = 15_000;

/** The folder with `initdb` and `postgres`, or undefined where there is none. */
export function findPostgres(): string | undefined {
  return FOLDERS.find((folder) => folder !== undefined && existsSync(join(folder, "initdb")));
}

export interface PostgresServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** @param folder of the programs */
export async function startPostgres(folder: string): Promise<PostgresServer> {
  const home = await mkdtemp(join(tmpdir(), "verisum-postgres-"));
  chmodSync(home, 0o777);
  const identity = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const data = join(home, "data");
  const made = spawnSync(
    join(folder, "initdb"),
    ["--pgdata", data, "--username", "verisum", "--auth", "trust", "--encoding", "UTF8", "--no-sync"],
    { ...identity, encoding: "utf8" },
  );
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
  const server = spawn(join(folder, "postgres"), ["-D", data, "-k", home, "-c", "listen_addresses=", "-F"], {
    ...identity,
    stdio: "ignore",
  });
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const until = Date.now() + STARTING_MS;
  while (!existsSync(join(home, ".s.PGSQL.5432"))) {
    if (Date.now() > until || server.exitCode !== null) throw new Error("PostgreSQL did not start");
    await delay(50);
  }
  return {
    url: `postgres://verisum@${encodeURIComponent(home)}/postgres`,
    stop: async () => {
      server.kill("SIGINT");
      await ended;
      await rm(home, { recursive: true });
    },
  };
}
