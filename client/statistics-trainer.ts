/** The trainer of a task that sums statistics: it counts its table once, and takes no model. */
import { cutWeights } from "../learning/named-tensors.ts";
import { countData } from "../learning/statistics/count-data.ts";
import { parseStatistics } from "../learning/statistics/statistics-model.ts";
import type { OnRows } from "../learning/formats/format.ts";
import type { RoundTrainer } from "./round-trainer.ts";

/**
 * Reads the table now, so that what is wrong with it is said before a round opens.
 * @param data a table, as `--data` names it
 * @param model of a task's document
 * @throws MODEL_DESCRIPTION_INVALID, and what reading and counting throw
 */
export async function statisticsTrainer(data: string, model: unknown, onRows?: OnRows): Promise<RoundTrainer> {
  const counts = await countData(data, parseStatistics(model), onRows);
  return {
    train: ({ tensors }) => Promise.resolve({ kind: "difference", tensors: cutWeights(tensors, counts) }),
  };
}
