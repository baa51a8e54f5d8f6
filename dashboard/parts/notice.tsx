/** What is said in the place of something that is not there. */
import type { ReactNode } from "react";

export interface NoticeProps {
  readonly kind: "empty" | "warning" | "failure";
  readonly title: string;
  /** It is a part of a page that has a heading already. */
  readonly isPart?: boolean;
  readonly children?: ReactNode;
}

export function Notice({ kind, title, isPart = false, children }: NoticeProps): ReactNode {
  const Heading = isPart ? "h2" : "h1";
  return (
    <section className={`notice ${kind}`} role={kind === "failure" ? "alert" : "status"}>
      <Heading>{title}</Heading>
      {children === undefined ? null : <p>{children}</p>}
    </section>
  );
}

/** In the place of what is on its way. */
export function Loading({ what }: { readonly what: string }): ReactNode {
  return (
    <div className="loading" role="status">
      <span className="visually-hidden">Loading {what}</span>
      <i />
      <i />
      <i />
    </div>
  );
}

/** In the place of what was asked for and is not there yet. @param failure why the server did not answer */
export function Pending({ what, failure }: { readonly what: string; readonly failure: string | undefined }): ReactNode {
  if (failure === undefined) return <Loading what={what} />;
  return (
    <Notice kind="failure" title="The server does not answer">
      It was asked for {what}: {failure}. The page asks again by itself.
    </Notice>
  );
}
