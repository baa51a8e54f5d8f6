/**
 * Several cells on one machine: a chain, a group, and for each cell a contract, a committee, an aggregator and clients
 * on the handwritten digits; the same commands as anywhere else. Prints seconds, gas by role and bytes, and each cell's
 * verdict.
 *
 *   npm run cells -- --clients 6 --cells 2 --rounds 2
 */
import { join } from "node:path";
import type { Wallet } from "ethers";
import { positiveInteger } from "../command/options.ts";
import { platformRandom as random } from "../command/platform-random.ts";
import { createProgram } from "../command/program.ts";
import { ensure, VerisumError } from "../protocol/errors.ts";
import { layoutOfTask } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import { ledgerOf } from "./cells/ledger.ts";
import { printReport } from "./cells/report.ts";
import type { CellFigures } from "./cells/report.ts";
import { runAuditor } from "../demo/auditor.ts";
import { startChain } from "../demo/chain.ts";
import type { RoleEvent } from "../demo/processes.ts";
import { withProcesses } from "../demo/with-processes.ts";
import type { ProcessRun } from "../demo/with-processes.ts";
import { buildContracts } from "../operator/build-contracts.ts";
import { deployEmptyGroup } from "../operator/deploy-group.ts";
import { deployPreparedTask } from "../operator/deploy-task.ts";
import { prepareTask } from "../operator/prepare-task.ts";
import { readSpecification } from "../operator/read-specification.ts";

const MEMBERS = 4;
/** Nobody is waited for by the clock: phases end when everybody has acted. */
const WINDOW_SECONDS = 900;

interface Flags {
  readonly clients: number;
  readonly cells: number;
  readonly rounds: number;
  readonly task: string;
}

const program = createProgram("cells", "several cells of one task on this machine, on the handwritten digits")
  .option("--clients <n>", "clients of all cells together, at least 3 in each", positiveInteger, 6)
  .option("--cells <n>", "contracts, at least 2", positiveInteger, 2)
  .option("--rounds <n>", "rounds until the task is complete", positiveInteger, 2)
  .option("--task <file>", "the task's specification", "tasks/digits.json");
const { clients: clientCount, cells: cellCount, rounds, task } = (await program.parseAsync()).opts<Flags>();
const clientsPerCell = Math.floor(clientCount / cellCount);
ensure(cellCount >= 2 && clientsPerCell >= 3, "USAGE", "give at least 2 cells, and 3 clients for each");

const write = (line: string): void => void process.stdout.write(`${line}\n`);

await withProcesses("cells", write, run);

async function run({ processes, directory, noise }: ProcessRun): Promise<boolean> {
  await buildContracts((child) => processes.adopt(child));
  const perCell = 1 + MEMBERS + clientsPerCell;
  const chain = await startChain(processes, (line) => noise.push(line), 1 + cellCount * (1 + MEMBERS));
  const groupOperator = chain.wallet(0);
  const roles = new Map([[groupOperator.address.toLowerCase(), "group's operator"]]);
  const { contract: group } = await deployEmptyGroup(chain.rpc, groupOperator, cellCount);
  write(`a group of ${cellCount} cells at ${group}`);

  const specification = (await readSpecification(task)) as { document: object };
  const prepared = await prepareTask(
    {
      ...specification,
      document: { ...specification.document, cells: { group } },
      maxRounds: rounds,
      windowSeconds: { key: 10, collect: WINDOW_SECONDS, attest: WINDOW_SECONDS, aggregate: WINDOW_SECONDS },
    },
    join(directory, "aggregator 1", "ipfs"),
    random,
    write,
  );
  const cells = [];
  for (let place = 0; place < cellCount; place++) {
    const [operator, ...others] = Array.from({ length: perCell }, (_, i) => chain.wallet(1 + place * perCell + i)) as [
      Wallet,
      ...Wallet[],
    ];
    const [members, clients] = [others.slice(0, MEMBERS), others.slice(MEMBERS)];
    const account = (wallet: Wallet): Hex => wallet.address.toLowerCase() as Hex;
    roles.set(account(operator), "aggregator");
    for (const wallet of members) roles.set(account(wallet), "member");
    for (const wallet of clients) roles.set(account(wallet), "client");
    const roster = {
      members: members.map(account),
      clients: clients.map((wallet) => ({ account: account(wallet), weight: 1 })),
    };
    const { contract } = await deployPreparedTask(
      chain.rpc,
      operator,
      prepared,
      roster,
      (step) => write(`cell ${place + 1}: ${step}`),
      { groupWallet: groupOperator },
    );
    cells.push({ contract, operator, members, clients });
  }

  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  const figures: CellFigures[] = cells.map(() => ({
    opened: new Map(),
    finalised: new Map(),
    accuracy: new Map(),
    models: new Map(),
    proveMs: [],
    bundleBytes: [],
  }));
  const gateway = (place: number): string => `http://127.0.0.1:${chain.port + 1 + place * (1 + MEMBERS)}`;
  const endings = cells.map(
    (cell, place) =>
      new Promise<void>((resolve, reject) => {
        const own = figures[place]!;
        const note = (event: RoleEvent): void => {
          const round = Number(event.facts.round);
          if (event.event === "round-opened") own.opened.set(round, seconds());
          if (event.event === "aggregated" && typeof event.facts.accuracy === "number")
            own.accuracy.set(round, event.facts.accuracy);
          if (event.event === "proven") own.proveMs.push(Number(event.facts.milliseconds));
          if (event.event === "committed") own.bundleBytes.push(Number(event.facts.bytes));
          if (event.event === "finalised") {
            own.finalised.set(round, seconds());
            own.models.set(round, String(event.facts.modelCid));
            if (own.finalised.size === rounds) resolve();
          }
          if (["round-opened", "settled", "finalised"].includes(event.event) || event.level === "error")
            write(`${seconds().toFixed(1).padStart(6)}s  cell ${place + 1}  ${event.text}`);
        };
        const start = (
          name: string,
          args: readonly string[],
          wallet: Wallet,
          script = "aggregator/cli.ts",
        ): Promise<number | undefined> => {
          const common = [
            "--contract",
            cell.contract,
            "--rpc",
            chain.rpc,
            "--confirmations",
            "0",
            "--poll-ms",
            "400",
            "--format",
            "json",
            "--peer",
            gateway(0),
            "--state",
            join(directory, name),
          ];
          return processes.start(name, script, [...args, ...common], {
            key: wallet.privateKey,
            logFile: join(directory, `${name}.log`),
            onEvent: note,
            onNoise: (line) => noise.push(`${name}: ${line}`),
          }).ended;
        };
        const port = chain.port + 1 + place * (1 + MEMBERS);
        const ended = start(
          `aggregator ${place + 1}`,
          ["serve", "--listen", `127.0.0.1:${port}`, "--data", "digits"],
          cell.operator,
        );
        void ended.then((status) =>
          reject(
            new VerisumError(
              "PROCESS_ENDED",
              `the aggregator of cell ${place + 1} ended with status ${String(status)}`,
            ),
          ),
        );
        cell.members.forEach(
          (wallet, i) =>
            void start(`member ${place + 1}.${i + 1}`, ["member", "--listen", `127.0.0.1:${port + 1 + i}`], wallet),
        );
        cell.clients.forEach((wallet, i) => {
          const data = `digits?client=${place * clientsPerCell + i}&clients=${cellCount * clientsPerCell}&seed=7`;
          void start(`client ${place + 1}.${i + 1}`, ["join", "--data", data], wallet, "client/cli.ts");
        });
      }),
  );
  await Promise.all(endings);
  const total = seconds();
  const verdicts: boolean[] = [];
  const auditSeconds: number[] = [];
  for (const [place, { contract }] of cells.entries()) {
    const from = performance.now();
    const args = [
      "--contract",
      contract,
      "--rpc",
      chain.rpc,
      "--confirmations",
      "0",
      "--peer",
      gateway(place),
      "--state",
      join(directory, `auditor ${place + 1}`),
    ];
    verdicts.push(
      await runAuditor(processes, args, (line) => (/cell|FAILED|VERIFIED|✗/.test(line) ? write(line) : undefined)),
    );
    auditSeconds.push((performance.now() - from) / 1000);
  }
  const ledger = await ledgerOf(chain.rpc, (account) => roles.get(account) ?? "nobody");
  printReport(write, {
    cells: figures,
    ledger,
    rounds,
    cellCount,
    clients: cellCount * clientsPerCell,
    members: MEMBERS,
    elementCount: layoutOfTask(prepared.parameters).elementCount,
    threshold: prepared.parameters.threshold,
    totalSeconds: total,
    auditSeconds,
  });
  return verdicts.every(Boolean);
}
