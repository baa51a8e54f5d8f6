#!/usr/bin/env node
import { start } from "../scripts/bootstrap.mjs";

await start("aggregator/cli.ts");
