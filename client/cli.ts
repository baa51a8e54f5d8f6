/** `fl-client`: take part in a task with local data. What a command does is loaded when it runs. */
import { Option } from "commander";
import type { Command } from "commander";
import {
  address,
  addressOrNone,
  connectionOptions,
  contentOptions,
  endpointOptions,
  feeOption,
  formatOption,
  nodeOptions,
  positiveInteger,
  refusing,
  reporterFor,
} from "../command/options.ts";
import type { CommonFlags } from "../command/options.ts";
import { listenAddress } from "../command/listen-address.ts";
import type { ListenAddress } from "../command/listen-address.ts";
import { platformRandom } from "../command/platform-random.ts";
import { createProgram } from "../command/program.ts";
import { createReporter } from "../command/reporter.ts";
import { runCommand } from "../command/run.ts";
import { ensure } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { Hex } from "../protocol/transcript.ts";
import { proverCommand } from "../proving/groth16/prover-command.ts";
import type { ProverCommand } from "../proving/groth16/prover-command.ts";
import { TOKEN_VARIABLE, trainerAddress, trainerLine, trainerToken } from "./trainers/address.ts";
import type { TrainerAddress, TrainerLine } from "./trainers/address.ts";
import type { InspectFlags } from "./inspect.ts";
import { addOpenCommand } from "./page/open-options.ts";
import type * as Leave from "./leave.ts";

interface JoinFlags extends Omit<CommonFlags, "contract"> {
  readonly contract?: Hex;
  readonly invite?: string;
  readonly yes: boolean;
  readonly data?: string;
  readonly trainer?: TrainerLine;
  readonly evaluator?: TrainerLine;
  readonly trainerToken?: string;
  readonly rounds?: number;
  readonly proverCommand?: ProverCommand;
  readonly relay?: boolean;
  readonly status?: ListenAddress;
}

type LeavingFlags = Pick<CommonFlags, "rpc" | "chainId" | "key" | "maxFeePerGas"> & { readonly contract: Hex };

const program = createProgram("fl-client", "Take part in a Verisum task: train on local data, prove, submit.");

proverOption(
  contentOptions(
    connectionOptions(
      program.command("join").description("join a task and take part in its rounds until it is complete"),
      true,
      false,
    ),
  ),
)
  .option("--invite <file>", "the operator's invitation, in place of --contract, --rpc and --peer")
  .option("--yes", "with --invite: agree to what it shows, and register where that costs a bond", false)
  .option(
    "--data <spec>",
    "local data: digits, a table (CSV, TSV, JSON Lines) or images in IDX format, with options behind a ?; it never leaves this machine",
  )
  .option(
    "--trainer <line>",
    "train with this command instead, called with a folder for each round, or with a server at http://127.0.0.1:PORT (docs/trainers.md)",
    refusing(trainerLine),
  )
  .option(
    "--evaluator <line>",
    "measure each model with this command or server; its numbers stay here",
    refusing(trainerLine),
  )
  .option(
    "--trainer-token <token-file>",
    "the file with the servers' token; else the environment's VERISUM_TRAINER_TOKEN",
    refusing(trainerToken),
  )
  .option(
    "--relay",
    "let a node of the task send the submission, in a batch with others'; send it from this account only if that takes too long",
  )
  .addOption(
    new Option(
      "--status <host:port>",
      "say there how this client is: /health, /ready, /status and /metrics for Prometheus",
    ).argParser(listenAddress),
  )
  .option("--rounds <n>", "stop after taking part in this many rounds", positiveInteger)
  .action(async (flags: JoinFlags, command: Command) => {
    const reporter = reporterFor(flags, "client");
    await runCommand(reporter, async (signal) => {
      const { trainer, evaluator, trainerToken: token, ...others } = flags;
      const outside = {
        ...(trainer === undefined ? {} : { trainer: addressOf(trainer, token) }),
        ...(evaluator === undefined ? {} : { evaluator: addressOf(evaluator, token) }),
      };
      const found = await whereToJoin(flags, command.getOptionValueSource("rpc") !== "default");
      const { joinTask } = await import("./join.ts");
      await joinTask(
        { ...nodeOptions({ ...others, ...found }, "client"), ...outside },
        { reporter, random: platformRandom, signal },
      );
    });
  });

placeCommand(
  program
    .command("leave")
    .description("leave a task from the next round on, and take the bond back once its last round is over"),
  "client",
).action((flags: LeavingFlags) => leaving(({ leaveTask }, reporter) => leaveTask(flags, reporter)));

placeCommand(
  program
    .command("name-successor")
    .description("let another account of yours take this client's place")
    .argument("<address>", "the account; none takes the name back", addressOrNone),
  "client",
).action((successor: Hex | null, flags: LeavingFlags) =>
  leaving(({ nameSuccessor }, reporter) => nameSuccessor(flags, successor, reporter)),
);

placeCommand(
  program
    .command("take-place")
    .description("take the place of a client that named this account, with all that was counted of it")
    .argument("<address>", "the client's account", address),
  "new account",
).action((predecessor: Hex, flags: LeavingFlags) =>
  leaving(({ takePlace }, reporter) => takePlace(flags, predecessor, reporter)),
);

const data = program.command("data").description("look at data without a chain");

formatOption(
  data
    .command("inspect", { isDefault: true })
    .description("show columns, classes, split and warnings, and what would be refused"),
)
  .requiredOption("--data <spec>", "as for join")
  .option("--task <file>", "a task's specification or document, to hold the data to")
  .action(async (flags: InspectFlags) => {
    const toStderr = (line: string): void => void process.stderr.write(`${line}\n`);
    const reporter = createReporter(flags.format, "client", toStderr, Date.now);
    await runCommand(reporter, async () => {
      const { runInspect } = await import("./inspect.ts");
      const write = (text: string): void => void process.stdout.write(text);
      await runInspect(flags, write, (rows) => reporter.wait(`${rows.toLocaleString("en-US")} rows read`, { rows }));
    });
  });

addOpenCommand(program);

/** The options of a command by which a client changes its place in the lists. @param whose key it takes */
function placeCommand(command: Command, whose: string): Command {
  return feeOption(
    endpointOptions(command)
      .requiredOption("--contract <address>", "the task's contract", address)
      .option("--key <file>", `the ${whose}'s key file; else the environment's VERISUM_KEY`),
  );
}

/** One change of the lists by this client. */
async function leaving(change: (module: typeof Leave, reporter: Reporter) => Promise<void>): Promise<void> {
  const reporter = createReporter("text", "client", (line) => void process.stderr.write(`${line}\n`), Date.now);
  await runCommand(reporter, async () => change(await import("./leave.ts"), reporter));
}

/** The task that the flags name. @throws USAGE, and as `acceptInvitation` */
async function whereToJoin(flags: JoinFlags, hasOwnEndpoint: boolean) {
  const { contract, invite, peer } = flags;
  if (invite === undefined) {
    ensure(contract !== undefined, "USAGE", "give --contract, or the operator's --invite");
    return { contract };
  }
  ensure(contract === undefined, "USAGE", "--invite names the contract: leave --contract out");
  const { acceptInvitation, askConsent } = await import("./invited.ts");
  const { rpc, ...rest } = flags;
  const own = hasOwnEndpoint ? { ...rest, rpc } : rest;
  const { peers, ...address } = await acceptInvitation(invite, own, Math.floor(Date.now() / 1000));
  const consent = flags.yes ? () => Promise.resolve() : askConsent;
  return { ...address, peer: [...peer, ...peers], consent };
}

/** A token of the environment is looked at only where a server needs one. */
function addressOf(line: TrainerLine, token: string | undefined): TrainerAddress {
  return trainerAddress(line, token ?? process.env[TOKEN_VARIABLE]);
}

/** --prover-command. */
function proverOption(command: Command): Command {
  return command.addOption(
    new Option(
      "--prover-command <line>",
      "prove with this command instead, called with key, witness, proof and public file; words are separated by blanks",
    )
      .env("VERISUM_PROVER")
      .argParser(refusing((line) => proverCommand(line))),
  );
}

await program.parseAsync();
