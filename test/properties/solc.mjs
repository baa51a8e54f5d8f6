#!/usr/bin/env node
/** The compiler of package.json as the program that forge starts: it asks for the version, or compiles its input. */
import { readFileSync } from "node:fs";
import solc from "solc";

if (process.argv.includes("--version")) process.stdout.write(`Version: ${solc.version()}\n`);
else process.stdout.write(solc.compile(readFileSync(0, "utf8")));
