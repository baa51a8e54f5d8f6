/** The part of circomlibjs that tests use; the package ships no types. */
declare module "circomlibjs" {
  /** Poseidon with constants read from a file, as circomlib's authors published them. */
  export function buildPoseidonReference(): Promise<{
    (inputs: readonly bigint[]): Uint8Array;
    readonly F: { toObject(element: Uint8Array): bigint };
  }>;
}
