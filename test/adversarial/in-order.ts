/** Parts one after the other, and one beside all of them. */

/**
 * @param beside begins with the first of the others; it is waited for in its turn
 * @param keep told of all reports so far when a part's turn is over
 * @returns reports in the order of `names` @throws what a part throws, in its turn
 */
export async function inOrder<Name, Report>(
  names: readonly Name[],
  beside: Name,
  run: (name: Name) => Promise<Report>,
  keep: (reports: readonly Report[]) => Promise<void>,
): Promise<readonly Report[]> {
  const running = names.includes(beside) ? run(beside) : undefined;
  // A failure is thrown in its turn.
  running?.catch(() => undefined);
  const reports: Report[] = [];
  for (const name of names) {
    reports.push(await (name === beside ? running! : run(name)));
    await keep(reports);
  }
  return reports;
}
