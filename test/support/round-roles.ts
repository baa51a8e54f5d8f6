/** What a test may replace in a role before it starts. */
export type Alter<T> = (deps: T) => T;
