/** Identifiers: short to look at, whole to read and to copy, and a link to what they name. */
import { useState } from "react";
import type { ReactNode } from "react";
import { shortened } from "../format.ts";
import { follow } from "../route.ts";

/** A directory on IPFS, from this server's own gateway. */
export function Cid({ cid, label }: { readonly cid: string; readonly label: string }): ReactNode {
  return (
    <a className="id" href={`/ipfs/${cid}/`} title={cid}>
      <span className="visually-hidden">{label} </span>
      {shortened(cid)}
    </a>
  );
}

/** All of a directory as one file, which any IPFS tool can check. */
export function Download({ cid, name }: { readonly cid: string; readonly name: string }): ReactNode {
  return (
    <a href={`/ipfs/${cid}?format=car&filename=${encodeURIComponent(name)}.car`} download={`${name}.car`}>
      Download<span className="visually-hidden"> {name}</span>
    </a>
  );
}

export function Id({ text, label }: { readonly text: string; readonly label: string }): ReactNode {
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <button type="button" className="id" title={text} onClick={() => void copy()}>
      <span className="visually-hidden">Copy {label} </span>
      {isCopied ? "copied" : shortened(text)}
    </button>
  );
}

export function RoundLink({ task, round }: { readonly task: string; readonly round: number }): ReactNode {
  return (
    <a href={`/task/${task}/round/${round}`} onClick={follow}>
      <span className="visually-hidden">Round </span>
      {round}
    </a>
  );
}
