import pLimit from "p-limit";

/**
 * Works through items, at most `atOnce` of them at a time. The first failure is thrown when the items under way are
 * through.
 */
export async function pooled<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const limit = pLimit({ concurrency: atOnce, rejectOnClear: true });
  const stopAtFailure = async (item: T, index: number): Promise<void> => {
    try {
      await work(item, index);
    } catch (error) {
      limit.clearQueue();
      throw error;
    }
  };
  // Items that were not started come after the one that failed.
  const runs = await Promise.allSettled(items.map((item, index) => limit(stopAtFailure, item, index)));
  const failure = runs.find((result) => result.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}
