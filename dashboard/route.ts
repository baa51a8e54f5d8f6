/** Which page the address names. */
import { useSyncExternalStore } from "react";
import type { MouseEvent } from "react";

export type Route =
  | { readonly page: "overview" }
  | { readonly page: "task"; readonly task: string }
  | { readonly page: "round"; readonly task: string; readonly round: number }
  | { readonly page: "verify"; readonly task: string }
  | { readonly page: "nowhere" };

const MOVED = "verisum-moved";

function routeOf(path: string): Route {
  if (path === "/") return { page: "overview" };
  const [, task, round, verify] =
    /^\/task\/([0-9]+-0x[0-9a-f]{40})(?:\/round\/([0-9]{1,15})|\/(verify))?\/?$/.exec(path) ?? [];
  if (task === undefined) return { page: "nowhere" };
  if (verify !== undefined) return { page: "verify", task };
  return round === undefined ? { page: "task", task } : { page: "round", task, round: Number(round) };
}

/** The page, and again whenever it changes. */
export function useRoute(): Route {
  const path = useSyncExternalStore(
    (changed) => {
      addEventListener("popstate", changed);
      addEventListener(MOVED, changed);
      return () => {
        removeEventListener("popstate", changed);
        removeEventListener(MOVED, changed);
      };
    },
    () => location.pathname,
  );
  return routeOf(path);
}

/** For links inside the page: a plain click changes it in place, everything else is the browser's. */
export function follow(event: MouseEvent<HTMLAnchorElement>): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  event.preventDefault();
  history.pushState(null, "", event.currentTarget.href);
  dispatchEvent(new Event(MOVED));
  scrollTo(0, 0);
}
