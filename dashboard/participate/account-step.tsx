/** The account that takes part: made, imported or opened here; its key is never shown. */
import type { ReactNode } from "react";
import type { PageAccount } from "../../client/page/state.ts";
import { Id } from "../parts/links.tsx";
import type { Server } from "./server.ts";
import { Form, Step, Ways, wordsIn } from "./step.tsx";

export function AccountStep({
  account,
  act,
}: {
  readonly account: PageAccount | null;
  readonly act: Server["act"];
}): ReactNode {
  const isOpen = account?.isOpen === true;
  return (
    <Step number={1} title="Your account" state={isOpen ? "done" : "present"}>
      {account === null ? (
        <>
          <p>
            An account signs what you contribute and pays for it. Its key is kept encrypted on this machine, opened by a
            password of yours, and never shown again.
          </p>
          <Ways
            ways={{
              "Make a new one": (
                <Form
                  button="Make the account"
                  busy="Encrypting …"
                  send={(form) => act("/api/account/make", { password: form.get("password") })}
                >
                  <Password isNew />
                </Form>
              ),
              "Import one": (
                <Form
                  button="Import the account"
                  busy="Encrypting …"
                  send={(form) =>
                    act("/api/account/import", { secret: wordsIn(form.get("secret")), password: form.get("password") })
                  }
                >
                  <label>
                    Secret key, or a keystore’s text
                    <textarea
                      name="secret"
                      required
                      rows={2}
                      spellCheck={false}
                      autoComplete="off"
                      className="secret"
                    />
                  </label>
                  <Password isNew />
                  <p className="aside">A keystore is opened and kept with the same password.</p>
                </Form>
              ),
            }}
          />
        </>
      ) : (
        <>
          <p>
            <Id text={account.address} label="address" />{" "}
            <small>
              Its encrypted key is in <code>{account.file}</code>. Keep a copy, and the password: nobody can restore
              them.
            </small>
          </p>
          {isOpen ? null : (
            <Form
              button="Open the account"
              busy="Opening …"
              send={(form) => act("/api/account/open", { password: form.get("password") })}
            >
              <Password />
            </Form>
          )}
        </>
      )}
    </Step>
  );
}

function Password({ isNew = false }: { readonly isNew?: boolean }): ReactNode {
  return (
    <label>
      Password{isNew ? ", 8 characters at least" : ""}
      <input
        name="password"
        type="password"
        required
        minLength={isNew ? 8 : 1}
        autoComplete={isNew ? "new-password" : "current-password"}
      />
    </label>
  );
}
