/** The program that serves this page: it alone is asked. */
import { useEffect, useState } from "react";
import type { PageFailure, PageState } from "../../client/page/state.ts";

const KEY_HEADER = "x-verisum-page";
/** Kept for this window and this server alone. */
const STORED = "verisum-page-key";
const AGAIN_MS = 2000;

/** Exchanges the code of the address for this window's key, and takes the code out of the address. */
export async function openWindow(): Promise<PageFailure | undefined> {
  const code = location.hash.slice(1);
  if (code === "") return undefined;
  history.replaceState(null, "", location.pathname);
  const answer = await ask<{ readonly key: string }>("/api/open", { code });
  if ("failure" in answer) return sessionStorage.getItem(STORED) === null ? answer.failure : undefined;
  sessionStorage.setItem(STORED, answer.value.key);
  return undefined;
}

type Answered<T> = { readonly value: T } | { readonly failure: PageFailure; readonly status: number };

const AWAY: PageFailure = {
  code: "",
  message: "The program that serves this page does not answer.",
  advice: "Start it again with fl-client open; the page goes on by itself, or at the new address.",
};

/** @param body sent as JSON, or as it is if it is a file; nothing is sent without one */
async function ask<T>(path: string, body?: object): Promise<Answered<T>> {
  const isFile = body instanceof Blob;
  try {
    const response = await fetch(path, {
      method: body === undefined ? "GET" : "POST",
      headers: {
        [KEY_HEADER]: sessionStorage.getItem(STORED) ?? "",
        ...(body === undefined ? {} : { "content-type": isFile ? "application/octet-stream" : "application/json" }),
      },
      ...(body === undefined ? {} : { body: isFile ? body : JSON.stringify(body) }),
    });
    if (response.ok) return { value: (await response.json()) as T };
    return { failure: (await response.json()) as PageFailure, status: response.status };
  } catch {
    return { failure: AWAY, status: 0 };
  }
}

export interface Server {
  /** Undefined until it has answered. */
  readonly state: PageState | undefined;
  /** Why it does not answer, if it does not. */
  readonly away: PageFailure | undefined;
  /** This window was not opened by an address of the terminal. */
  readonly isLocked: boolean;
  /** @returns what was refused */
  act(path: string, body?: object): Promise<PageFailure | undefined>;
}

/** @param opened settles when the window may ask */
export function useServer(opened: Promise<PageFailure | undefined>): Server {
  const [state, setState] = useState<PageState>();
  const [away, setAway] = useState<PageFailure>();
  const [isLocked, setLocked] = useState(false);
  const show = (next: PageState): void =>
    setState((before) => (before === undefined || next.revision >= before.revision ? next : before));
  useEffect(() => {
    let isOver = false;
    const listen = async (): Promise<void> => {
      const refused = await opened;
      if (refused !== undefined) return setLocked(true);
      for (let after = ""; !isOver;) {
        const answer = await ask<PageState>(`/api/state${after}`);
        if (isOver) return;
        if ("value" in answer) {
          show(answer.value);
          setAway(undefined);
          after = `?after=${answer.value.revision}`;
        } else if (answer.status === 401) return setLocked(true);
        else {
          setAway(answer.failure);
          after = "";
          await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
        }
      }
    };
    void listen();
    return () => {
      isOver = true;
    };
  }, [opened]);
  return {
    ...{ state, away, isLocked },
    act: async (path, body = {}) => {
      const answer = await ask<PageState>(path, body);
      if ("failure" in answer) return answer.failure;
      show(answer.value);
      return undefined;
    },
  };
}
