/** A time for people, in UTC. @param seconds Unix time @example utcText(0) // "1970-01-01T00:00:00Z" */
export function utcText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000", "");
}
