/** What the page asks of its own server. */
import { useEffect, useState } from "react";

/** What is known of an answer. What was known stays while it is asked again, and while the server is away. */
export interface Answer<T> {
  readonly value: T | undefined;
  /** Why the last question was not answered. */
  readonly failure: string | undefined;
  /** There is no such thing. */
  readonly isMissing: boolean;
}

/** Between two tries where the server does not answer. */
const AGAIN_MS = 3000;
/** Several changes that come together are asked about once. */
const TOGETHER_MS = 150;

/** Told of every change of a task, and when the stream itself comes or goes. */
type Listener = (task: string | undefined) => void;
const listeners = new Set<Listener>();
let stream: EventSource | undefined;

function listen(listener: Listener): () => void {
  listeners.add(listener);
  stream ??= openStream();
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    stream?.close();
    stream = undefined;
  };
}

function openStream(): EventSource {
  const source = new EventSource("/api/stream");
  const tell = (task: string | undefined): void => listeners.forEach((listener) => listener(task));
  source.addEventListener("task", ({ data }: MessageEvent<string>) => {
    tell((JSON.parse(data) as { readonly task: string }).task);
  });
  source.addEventListener("error", () => tell(undefined));
  return source;
}

/**
 * The answer at a path, asked again whenever the task changes.
 * @param path undefined for nothing
 * @param task every task's changes count if absent
 */
export function useAnswer<T>(path: string | undefined, task?: string): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T> & { readonly path: string | undefined }>({ ...NOTHING, path });
  useEffect(() => {
    if (path === undefined) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const controller = new AbortController();
    const ask = async (): Promise<void> => {
      const next = await fetchAnswer<T>(path, controller.signal);
      if (controller.signal.aborted) return;
      setAnswer((before) => ({
        ...next,
        path,
        value: next.value ?? (before.path === path ? before.value : undefined),
      }));
      if (next.failure !== undefined) later(AGAIN_MS);
    };
    const later = (milliseconds: number): void => {
      clearTimeout(timer);
      timer = setTimeout(() => void ask(), milliseconds);
    };
    const stop = listen((changed) => {
      if (changed === undefined || task === undefined || changed === task) later(TOGETHER_MS);
    });
    void ask();
    return () => {
      stop();
      clearTimeout(timer);
      controller.abort();
    };
  }, [path, task]);
  return answer.path === path ? answer : NOTHING;
}

const NOTHING = { value: undefined, failure: undefined, isMissing: false };

async function fetchAnswer<T>(path: string, signal: AbortSignal): Promise<Answer<T>> {
  try {
    const response = await fetch(path, { signal, headers: { accept: "application/json" } });
    if (response.ok) return { ...NOTHING, value: (await response.json()) as T };
    if (response.status === 404) return { ...NOTHING, isMissing: true };
    const { message } = (await response.json()) as { readonly message?: string };
    return { ...NOTHING, failure: message ?? `status ${response.status}` };
  } catch {
    return { ...NOTHING, failure: "the server does not answer" };
  }
}

/** Unix seconds, each second anew. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
