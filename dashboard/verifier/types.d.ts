declare module "*?worker&url" {
  const url: string;
  export default url;
}

interface TrustedTypePolicyFactory {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** Absent in browsers without Trusted Types. */
declare const trustedTypes: TrustedTypePolicyFactory | undefined;
