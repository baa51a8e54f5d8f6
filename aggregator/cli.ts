/** `fl-aggregator`: the committee and the aggregator. What a command does is loaded when it runs. */
import { Option } from "commander";
import type { Command } from "commander";
import { listenAddress, urlOf } from "../command/listen-address.ts";
import type { ListenAddress } from "../command/listen-address.ts";
import { connectionOptions, contentOptions, nodeOptions, positiveInteger, reporterFor } from "../command/options.ts";
import type { CommonFlags } from "../command/options.ts";
import { platformRandom } from "../command/platform-random.ts";
import { createProgram } from "../command/program.ts";
import { runCommand } from "../command/run.ts";
import { nodeUrl } from "../command/urls.ts";

interface NodeFlags extends CommonFlags {
  readonly listen: ListenAddress;
  readonly publicUrl?: string;
  readonly keepRounds?: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

interface ServeFlags extends NodeFlags {
  readonly data?: string;
  readonly once?: boolean;
  readonly batch?: number;
  readonly tidy?: boolean;
  readonly dashboard?: ListenAddress;
}

const program = createProgram("fl-aggregator", "Run a committee member or the aggregator of a Verisum task.");

nodeCommand(
  "member",
  "check and attest shares, release one share sum a round, sign results that were recomputed",
  "127.0.0.1:7701",
)
  .option("--min-clients <n>", "this member's own minimum of clients in a sum (default: the task's)", positiveInteger)
  .action(async (flags: NodeFlags & { readonly minClients?: number }) => {
    const reporter = reporterFor(flags, "member");
    await runCommand(reporter, async (signal) => {
      const { runMember } = await import("../member/run-member.ts");
      await runMember(nodeOptions(flags, "member"), { reporter, random: platformRandom, signal });
    });
  });

nodeCommand("serve", "collect, interpolate, check, average, publish, finalise; open the next round", "127.0.0.1:7700")
  .option("--data <spec>", "measure each model on this test data")
  .option(
    "--batch <n>",
    "relay clients' signed submissions, up to this many in one transaction, at this account's cost",
    positiveInteger,
  )
  .option("--tidy", "take off clients that are used up, or refused too often, at this account's cost")
  .option("--once", "stop when the task is complete")
  .addOption(
    new Option(
      "--dashboard <host:port>",
      "serve the task's dashboard there, with pages that say whose server it is",
    ).argParser(listenAddress),
  )
  .action(async (flags: ServeFlags) => {
    const reporter = reporterFor(flags, "aggregator");
    await runCommand(reporter, async (signal) => {
      const { serve } = await import("./serve.ts");
      const { dashboard } = flags;
      if (dashboard !== undefined) {
        const { dashboardBeside } = await import("./dashboard.ts");
        const gateway = flags.publicUrl ?? urlOf(flags.listen, flags.tlsCert === undefined ? "http" : "https");
        void dashboardBeside({ ...flags, dashboard, gateway }, reporter, signal);
      }
      await serve(nodeOptions(flags, "aggregator"), { reporter, random: platformRandom, signal });
    });
  });

function nodeCommand(name: string, description: string, listen: string): Command {
  return contentOptions(connectionOptions(program.command(name).description(description), true))
    .addOption(
      new Option("--listen <host:port>", "where the gateway listens")
        .default(listenAddress(listen), listen)
        .argParser(listenAddress),
    )
    .option(
      "--public-url <url>",
      "the endpoint that others use and that is announced on chain (default: the listening address)",
      nodeUrl,
    )
    .option(
      "--keep-rounds <n>",
      "finished rounds whose share bundles and share sums are kept (default: 8)",
      positiveInteger,
    )
    .option("--tls-cert <file>", "serve over TLS, with this certificate chain (PEM)")
    .option("--tls-key <file>", "the certificate's key (PEM)");
}

await program.parseAsync();
