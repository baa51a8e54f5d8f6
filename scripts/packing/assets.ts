/** Files that the code finds by its own place: they lie in `dist/` as they lie in the repository. */
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { globSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DECLARED_TYPES } from "./rewrite.ts";

const COPIED = [
  "artifacts/contracts/Verisum.sol/Verisum.json",
  "artifacts/contracts/CellGroup.sol/CellGroup.json",
  "build/dashboard/*.*",
  "build/dashboard/assets/*",
  "data/digits/*",
  DECLARED_TYPES,
];

/** @throws if one of them is missing */
export async function copyAssets(root: string, dist: string): Promise<void> {
  for (const pattern of COPIED) {
    const names = globSync(pattern, { cwd: root });
    if (names.length === 0) throw new Error(`there is no ${pattern}`);
    for (const name of names) await cp(join(root, name), join(dist, name));
  }
  await copyCircuits(root, dist);
  await writeManifest(root, dist);
}

/**
 * Circuits with the library that they include: an installed package has its own place in `node_modules`. Each file of
 * the library names its licence, which is this project's.
 */
async function copyCircuits(root: string, dist: string): Promise<void> {
  const library = new Set<string>();
  for (const name of globSync("circuits/**/*.circom", { cwd: root })) {
    const text = await readFile(join(root, name), "utf8");
    const { included, source } = withOwnLibrary(text);
    included.forEach((file) => library.add(file));
    await write(join(dist, name), source);
  }
  const folder = join(root, "node_modules", "circomlib");
  for (const file of library) {
    const text = await readFile(join(folder, "circuits", file), "utf8");
    for (const [, other] of text.matchAll(/^\s*include\s+"(?:\.\/)?([^"/]+)"/gm)) library.add(other!);
    await write(join(dist, "circuits", "circomlib", file), text);
  }
}

/** A circuit of `circuits/<folder>/` that includes circomlib from `circuits/circomlib/`, and what it includes. */
export function withOwnLibrary(text: string): { readonly source: string; readonly included: readonly string[] } {
  const included: string[] = [];
  const source = text.replaceAll(/"\.\.\/\.\.\/node_modules\/circomlib\/circuits\/([^"]+)"/g, (_, file: string) => {
    included.push(file);
    return `"../circomlib/${basename(file)}"`;
  });
  return { source, included };
}

/** What `--version` reads, and that the folder's files are modules. */
async function writeManifest(root: string, dist: string): Promise<void> {
  const { name, version, type } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    readonly name: string;
    readonly version: string;
    readonly type: string;
  };
  await write(join(dist, "package.json"), `${JSON.stringify({ name, version, type }, undefined, 2)}\n`);
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
