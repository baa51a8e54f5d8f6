/** `fl`: what anybody can do without an account: verify, look, download; and make keys. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import pc from "picocolors";
import { createKeyFile } from "../chain/key-file.ts";
import { connectionOptions, contentOptions, formatOption, reporterFor, wholeNumber } from "../command/options.ts";
import type { CommonFlags } from "../command/options.ts";
import { createProgram } from "../command/program.ts";
import { runCommand } from "../command/run.ts";
import { cidFromDigest } from "../content/cid.ts";
import { openReadingNode } from "../task/node.ts";
import { privacyLine, privacySummary } from "../task/privacy-summary.ts";
import { VerisumError } from "../protocol/errors.ts";
import { auditTask } from "./audit-task.ts";
import type { Finding } from "./checklist.ts";
import { addPrivacyCommands } from "./privacy-commands.ts";

const program = createProgram("fl", "Verify and inspect Verisum tasks. No account needed.");

contentOptions(
  connectionOptions(
    program.command("verify").description("re-check a task from the chain and IPFS alone, bit for bit"),
    false,
  ),
)
  .option("--round <n>", "stop after this round", wholeNumber)
  .action(async (flags: CommonFlags & { readonly round?: bigint }) => {
    const reporter = reporterFor({ format: "text" }, "auditor");
    await runCommand(reporter, async (signal) => {
      const node = await openReadingNode(
        { ...flags, stateDirectory: flags.state ?? join(".verisum", "auditor"), peers: flags.peer },
        reporter,
        signal,
      );
      const audit = await auditTask(node.task, {
        ...(flags.round === undefined ? {} : { until: flags.round }),
        ...(flags.format === "text"
          ? { onFinding: (finding: Finding) => process.stdout.write(`${findingLine(finding)}\n`) }
          : {}),
      });
      const { chainId, contract } = node.chain.context;
      await node.close();
      const red = audit.findings.filter(({ ok }) => !ok);
      if (flags.format === "json") {
        const data = {
          contract,
          chainId: chainId.toString(),
          ok: audit.ok,
          lastRound: Number(audit.model?.record.round ?? 0n),
          findings: audit.findings,
        };
        process.stdout.write(`${JSON.stringify({ schemaVersion: 1, status: audit.ok ? "ok" : "failed", data })}\n`);
      } else {
        const verdict = audit.ok
          ? pc.green(`VERIFIED  ${audit.findings.length} checks passed`)
          : pc.red(`FAILED  ${red.length} of ${audit.findings.length} checks`);
        process.stdout.write(`${verdict}, model of round ${audit.model?.record.round ?? "?"}\n`);
      }
      if (!audit.ok) throw new VerisumError("AUDIT_FAILED", `${red.length} checks failed`, { failed: red.length });
    });
  });

contentOptions(connectionOptions(program.command("status").description("show a task's state"), false)).action(
  async (flags: CommonFlags) => {
    const reporter = reporterFor({ format: "text" }, "fl");
    await runCommand(reporter, async (signal) => {
      const node = await openReadingNode(
        { ...flags, stateDirectory: flags.state ?? join(".verisum", "reader"), peers: flags.peer },
        reporter,
        signal,
      );
      const { chain, task } = node;
      const [round, model, finalised, clients] = [
        await chain.round(),
        await chain.latestModel(),
        await chain.finalisedRounds(),
        await chain.clientCount(),
      ];
      const gateways = node.network.peers();
      const privacy = privacySummary(task, Number(await chain.privacySpent()));
      await node.close();
      const status = {
        task: task.document.name,
        round: round.number.toString(),
        phase: round.phase,
        submitted: `${round.submitted}/${round.expected}`,
        finalisedRounds: `${finalised}${task.parameters.maxRounds > 0 ? `/${task.parameters.maxRounds}` : ""}`,
        clients,
        committee: `${task.parameters.committeeSize} seats, threshold ${task.parameters.threshold}, quorum ${task.parameters.quorum}`,
        model: cidFromDigest(model.cid),
        ...(privacy === null ? {} : { privacySpent: privacyLine(privacy), privacyMeans: privacy.statement }),
        gateways,
      };
      const lines = Object.entries(status).map(
        ([key, value]) => `${key.padEnd(16)} ${Array.isArray(value) ? value.join(", ") : String(value)}`,
      );
      const data = privacy === null ? status : { ...status, privacyEpsilon: privacy.epsilon };
      process.stdout.write(
        flags.format === "json"
          ? `${JSON.stringify({ schemaVersion: 1, status: "ok", data })}\n`
          : `${lines.join("\n")}\n`,
      );
    });
  },
);

contentOptions(
  connectionOptions(
    program.command("pull").description("download the latest model's checkpoint, verified by its CID"),
    false,
  ),
)
  .requiredOption("--out <directory>", "where to write it")
  .action(async (flags: CommonFlags & { readonly out: string }) => {
    const reporter = reporterFor({ format: "text" }, "fl");
    await runCommand(reporter, async (signal) => {
      const node = await openReadingNode(
        { ...flags, stateDirectory: flags.state ?? join(".verisum", "reader"), peers: flags.peer },
        reporter,
        signal,
      );
      const model = await node.chain.latestModel();
      const cid = cidFromDigest(model.cid);
      await mkdir(flags.out, { recursive: true });
      // Fixed names: what a directory calls its files never becomes a path here.
      for (const name of ["config.json", "model.safetensors", "state.bin", "topology.json"]) {
        await writeFile(join(flags.out, name), await node.store.getFile(cid, name, { maxBytes: 1 << 30 }));
      }
      await node.close();
      reporter.say("good", "pulled", `round ${model.round}: ${cid} is in ${flags.out}`);
    });
  });

formatOption(program.command("keygen").description("make an account's key file, readable by its owner only"))
  .requiredOption("--out <file>", "the file to create; never overwritten")
  .action(async (flags: { readonly out: string; readonly format: "text" | "json" }) => {
    const reporter = reporterFor({ format: "text" }, "fl");
    await runCommand(reporter, async () => {
      await mkdir(dirname(flags.out), { recursive: true, mode: 0o700 });
      const account = await createKeyFile(flags.out);
      process.stdout.write(
        flags.format === "json"
          ? `${JSON.stringify({ schemaVersion: 1, status: "ok", data: { account, file: flags.out } })}\n`
          : `${account}\n`,
      );
    });
  });

addPrivacyCommands(program);

function findingLine({ round, check, ok, detail, code }: Finding): string {
  const mark = ok ? pc.green("✓") : pc.red("✗");
  return `${mark} ${round === 0 ? "task   " : `round ${String(round).padEnd(1)}`}  ${check.padEnd(20)} ${detail}${code === undefined ? "" : ` [${code}]`}`;
}

await program.parseAsync();
