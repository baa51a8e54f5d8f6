#!/usr/bin/env node
import { start } from "./bootstrap.mjs";

await start("operator/cli.ts");
