/** Parts one after the other, in lanes beside each other. */

/**
 * @param names of the parts that are run, each at most once
 * @param lanes in each, parts follow one another; a part that is in none has one of its own
 * @param keep told of the reports so far, in the order of `names`, when a part has ended
 * @returns reports in the order of `names`
 * @throws what the first part throws that fails; its lane goes no further, the others end before
 */
export async function inLanes<Name, Report>(
  names: readonly Name[],
  lanes: readonly (readonly Name[])[],
  run: (name: Name) => Promise<Report>,
  keep: (reports: readonly Report[]) => Promise<void>,
): Promise<readonly Report[]> {
  const ended = new Map<Name, Report>();
  const reports = (): readonly Report[] => names.flatMap((name) => (ended.has(name) ? [ended.get(name)!] : []));
  const alone = names.filter((name) => !lanes.some((lane) => lane.includes(name))).map((name) => [name]);
  const outcomes = await Promise.allSettled(
    [...lanes, ...alone].map(async (lane) => {
      for (const name of lane.filter((one) => names.includes(one))) {
        ended.set(name, await run(name));
        await keep(reports());
      }
    }),
  );
  const failure = outcomes.find((outcome) => outcome.status === "rejected");
  if (failure !== undefined) throw failure.reason;
  return reports();
}
