/** Imports of `dist/` that lead nowhere where the package is installed. */
import { existsSync, globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { dirname, join, resolve } from "node:path";

/** A static import or re-export, a dynamic import, an inline type, or a worker's file; in what the compiler writes. */
const IMPORT =
  /^(?:import|export)\s+(?:[\w*${}\s,]+\sfrom\s+)?"([^"\n]+)"|\b(?:import\(|new URL\((?="[^"\n]+\.[jt]s"))\s*"([^"\n]+)"/gm;

/** One line for each: the file and what it names. */
export async function brokenImports(root: string, dist: string): Promise<readonly string[]> {
  const { dependencies } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const broken: string[] = [];
  for (const name of globSync("**/*.{js,d.ts}", { cwd: dist })) {
    const text = await readFile(join(dist, name), "utf8");
    for (const [, first, second] of text.matchAll(IMPORT)) {
      const specifier = (first ?? second)!;
      if (!leadsSomewhere(join(dist, name), specifier, dependencies)) broken.push(`${name}: ${specifier}`);
    }
  }
  return broken;
}

function leadsSomewhere(file: string, specifier: string, dependencies: Readonly<Record<string, string>>): boolean {
  if (specifier.startsWith(".")) {
    const target = resolve(dirname(file), specifier);
    return existsSync(file.endsWith(".d.ts") ? target.replace(/\.js$/, ".d.ts") : target);
  }
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  return specifier.startsWith("node:") || builtinModules.includes(name) || name in dependencies;
}
