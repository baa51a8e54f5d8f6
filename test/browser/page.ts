/** The page's script: checks what the server has, one after the other, and sends it the reports. */
import { checkEvidence } from "./checks.ts";

/** What the page's policy forbade, by what was asked for: an eval shows up here. */
const blocked: string[] = [];
const { addEventListener } = globalThis as unknown as {
  addEventListener(type: string, listener: (event: Record<"effectiveDirective" | "blockedURI", string>) => void): void;
};
addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
  blocked.push(`${effectiveDirective} ${blockedURI}`);
});

async function reportAll(): Promise<unknown> {
  try {
    const names = (await (await fetch("/evidence")).json()) as string[];
    const reports: unknown[] = [];
    for (const name of names) reports.push(await checkEvidence(await (await fetch(`/evidence/${name}`)).text()));
    return { reports, blocked };
  } catch (error) {
    return { error: String(error), blocked };
  }
}

await fetch("/report", { method: "POST", body: JSON.stringify(await reportAll()) });
