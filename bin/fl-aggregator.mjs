#!/usr/bin/env node
import { start } from "./bootstrap.mjs";

await start("aggregator/cli.ts");
