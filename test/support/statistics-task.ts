/** A task that sums statistics in the tiny preset, and three clients' tables for it. */
import { layoutOf, parseStatistics } from "../../learning/statistics/statistics-model.ts";
import { TINY_SPECIFICATION } from "./tiny-specification.ts";

export const STATISTICS_MODEL = {
  kind: "statistics",
  columns: [
    { name: "age", type: "number", from: 0, to: 120, bins: 4 },
    { name: "sex", type: "category", values: ["F", "M"] },
    { name: "admitted", type: "date", from: 19_700, to: 19_800 },
  ],
  maxRows: 1000,
  digitBits: 6,
};

export const STATISTICS_TASK = {
  ...TINY_SPECIFICATION,
  document: {
    ...TINY_SPECIFICATION.document,
    name: "tiny statistics",
    description: "Ages, sexes and days of admission of three wards, for tests",
    model: STATISTICS_MODEL,
    quantisation: { stepBits: 0, clipSteps: layoutOf(parseStatistics(STATISTICS_MODEL)).largestNorm },
    server: { ...TINY_SPECIFICATION.document.server, momentum: { numerator: 0, denominatorBits: 0 } },
  },
  maxRounds: 1,
};

/** Seven rows in all; an age and a sex are missing, and an age is beyond the range. */
export const WARDS = [
  "age,sex,admitted\n40,F,2024-01-01\n50,M,2024-01-02\n-999,F,2024-01-03\n",
  "admitted,sex,age\n2024-02-01,F,61.5\n2024-02-02T12:00,NA,130\n",
  "sex;age;admitted\nM;20;2024-03-01\nF;33,25;2024-03-02\n",
] as const;

/** All of their rows in one table. */
export const POOLED_WARDS =
  "age,sex,admitted\n40,F,2024-01-01\n50,M,2024-01-02\n-999,F,2024-01-03\n61.5,F,2024-02-01\n130,NA,2024-02-02T12:00\n20,M,2024-03-01\n33.25,F,2024-03-02\n";
