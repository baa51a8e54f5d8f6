/** Runs npm, and says what its failures mean. */
import { spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { constants } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { BootstrapError, EXIT, say } from "./failure.mjs";
import { ROOT } from "./installed.mjs";
import { whenOrphaned } from "./orphan.mjs";

/** What npm reports, and what to tell the user. The first match counts. */
const NPM_FAILURES = [
  [/ENOSPC/, EXIT.cannotCreate, "The disk is full."],
  [/EACCES|EPERM|EROFS/, EXIT.cannotCreate, "The repository or the npm cache is not writable."],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET|ENOTCACHED/,
    EXIT.unavailable,
    "The npm registry cannot be reached. Check the network and proxy settings, then try again.",
  ],
  [
    /SELF_SIGNED_CERT|UNABLE_TO_VERIFY|CERT_/,
    EXIT.unavailable,
    "The npm registry's certificate is not trusted. Behind an inspecting proxy, set NODE_EXTRA_CA_CERTS.",
  ],
  [
    /EINTEGRITY/,
    EXIT.software,
    "A downloaded package does not have the pinned hash. Do not use it; try `npm cache verify`.",
  ],
  [/E404|ETARGET/, EXIT.unavailable, "The npm registry does not offer a pinned package version."],
  [
    /can only install packages when your package\.json and package-lock\.json/,
    EXIT.software,
    "package-lock.json does not fit package.json. Run `npm install` and commit the lock file.",
  ],
];

/**
 * Path of npm's own program, to be run under any Node. Tests load it by its URL, which no tool sees.
 * @public
 * @throws BootstrapError if there is none
 */
export function findNpm() {
  const direct = process.env.npm_execpath;
  if (direct !== undefined && basename(direct) === "npm-cli.js" && existsSync(direct)) return direct;
  for (const folder of [...(process.env.PATH ?? "").split(delimiter), dirname(process.execPath)].filter(
    (entry) => entry !== "",
  )) {
    const link = join(folder, "npm");
    const candidates = [
      existsSync(link) ? realpathSync(link) : "",
      join(folder, "../lib/node_modules/npm/bin/npm-cli.js"),
      join(folder, "node_modules/npm/bin/npm-cli.js"),
    ];
    const found = candidates.find((path) => basename(path) === "npm-cli.js" && existsSync(path));
    if (found !== undefined) return found;
  }
  throw new BootstrapError(EXIT.config, "npm was not found in PATH. Install Node with npm, version 18 or later.");
}

/** Environment with the given Node and the repository's programs first in PATH. */
export function environment(node) {
  return {
    ...process.env,
    PATH: [dirname(node), join(ROOT, "node_modules", ".bin"), process.env.PATH ?? ""].join(delimiter),
  };
}

/**
 * Runs a child to its end and passes on the signals it does not get itself: a terminal sends SIGINT to the whole group,
 * so repeating it would look like a second Ctrl-C. Resolves to the exit code, with 128 + n for death by signal n, and
 * what was captured.
 */
export function run(command, args, { cwd, env, capture }) {
  return new Promise((fulfil, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: capture ? ["ignore", "pipe", "pipe"] : "inherit" });
    let output = "";
    const keep = (chunk) => (output = (output + chunk).slice(-65536));
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    const handlers = ["SIGINT", "SIGTERM", "SIGHUP"].map((signal) => {
      const handler = () => (signal === "SIGINT" && process.stdin.isTTY ? undefined : child.kill(signal));
      process.on(signal, handler);
      return () => process.off(signal, handler);
    });
    handlers.push(whenOrphaned(() => child.kill("SIGTERM")));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      handlers.forEach((remove) => remove());
      fulfil({ code: code ?? 128 + constants.signals[signal], signal, output });
    });
  });
}

/**
 * Runs `npm ci` under the given Node in the folder. No install script of any package is executed.
 * @param {import("./installed.mjs").Install} install
 */
export async function npmCleanInstall(node, folder, what, install) {
  const startedAt = process.hrtime.bigint();
  say(`installing ${what} …`);
  const inherited = Object.entries(environment(node)).filter(
    ([name]) => !/^npm_(config_(local_prefix|prefix|global)|package_|lifecycle_)/.test(name),
  );
  const flags = [
    "--prefix",
    folder,
    install === "full" ? "--include=dev" : "--omit=dev",
    "--include=optional",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--prefer-offline",
  ];
  const { code, signal, output } = await run(node, [findNpm(), "ci", ...flags], {
    cwd: folder,
    env: Object.fromEntries(inherited),
    capture: true,
  });
  if (signal !== null) process.exit(code);
  if (code !== 0) {
    const [, exitCode, reason] = NPM_FAILURES.find(([pattern]) => pattern.test(output)) ?? [
      undefined,
      EXIT.software,
      "npm failed.",
    ];
    throw new BootstrapError(
      exitCode,
      `Could not install ${what}. ${reason}\n${output
        .trim()
        .split("\n")
        .filter((line) => line.startsWith("npm error "))
        .slice(-6)
        .join("\n")}`,
    );
  }
  say(`installed ${what} in ${(Number(process.hrtime.bigint() - startedAt) / 1e9).toFixed(1)} s`);
}
