/** Every data format. To add one: a file beside this one, and its entry here. */
import { activity } from "./activity.ts";
import { csv } from "./csv.ts";
import { digits } from "./digits.ts";
import type { DataFormat } from "./format.ts";
import { humanActivity } from "./human-activity.ts";
import { idx } from "./idx.ts";
import { images } from "./images.ts";
import { jsonLines } from "./json-lines.ts";
import { npy, npz } from "./numpy.ts";
import { parquet } from "./parquet.ts";
import { timeSeries } from "./time-series.ts";

/** The first that recognises a source loads it. */
export const FORMATS: readonly DataFormat[] = [
  digits,
  activity,
  csv,
  jsonLines,
  parquet,
  npz,
  npy,
  timeSeries,
  humanActivity,
  idx,
  images,
];
