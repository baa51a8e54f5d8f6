/** One step of taking part, and the buttons and forms inside it. */
import { useState } from "react";
import type { FormEvent, ReactNode } from "react";
import type { PageFailure } from "../../client/page/state.ts";

export interface StepProps {
  readonly number: number;
  readonly title: string;
  readonly state: "done" | "present" | "ahead";
  readonly children: ReactNode;
}

export function Step({ number, title, state, children }: StepProps): ReactNode {
  const id = `step-${number}`;
  return (
    <section className={`step ${state}`} aria-labelledby={id}>
      <h2 id={id}>
        <b aria-hidden="true">{state === "done" ? "✓" : number}</b>
        {title}
        <span className="visually-hidden">{state === "done" ? ", done" : state === "ahead" ? ", later" : ""}</span>
      </h2>
      {state === "ahead" ? null : children}
    </section>
  );
}

export function Problem({ problem }: { readonly problem: PageFailure | undefined }): ReactNode {
  return (
    <div role="alert">
      {problem === undefined ? null : (
        <p className="problem">
          {sentence(problem.message)} {problem.advice} {problem.code === "" ? null : <code>{problem.code}</code>}
        </p>
      )}
    </div>
  );
}

/** Of an error's message, which begins and ends as what follows a code does. */
function sentence(message: string): string {
  return `${message.slice(0, 1).toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? "" : "."}`;
}

/** What a form asks for, and what became of it. */
export interface FormProps {
  readonly button: string;
  readonly busy: string;
  /** @returns what was refused */
  readonly send: (form: FormData) => Promise<PageFailure | undefined>;
  readonly children?: ReactNode;
}

export function Form({ button, busy, send, children }: FormProps): ReactNode {
  const [problem, setProblem] = useState<PageFailure>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(await send(new FormData(event.currentTarget)));
    setBusy(false);
  };
  return (
    <form className="ask" onSubmit={(event) => void submit(event)}>
      {children}
      <Problem problem={problem} />
      <p>
        <button type="submit" className="main" disabled={isBusy}>
          {isBusy ? busy : button}
        </button>
      </p>
    </form>
  );
}

/** Several ways to do one thing, of which one is shown. */
export function Ways({ ways }: { readonly ways: Readonly<Record<string, ReactNode>> }): ReactNode {
  const names = Object.keys(ways);
  const [chosen, setChosen] = useState(names[0]!);
  return (
    <>
      <div className="ways" role="group">
        {names.map((name) => (
          <button key={name} type="button" aria-pressed={name === chosen} onClick={() => setChosen(name)}>
            {name}
          </button>
        ))}
      </div>
      {ways[chosen]}
    </>
  );
}

export function wordsIn(value: FormDataEntryValue | null): string {
  return typeof value === "string" ? value.trim() : "";
}
