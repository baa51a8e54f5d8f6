/** The chain, and the accounts that act on it. */
import { DISCARDED } from "./entry.ts";
import type { ErrorEntry } from "./entry.ts";

export const CHAIN_ERRORS = {
  CHAIN_UNREACHABLE: {
    cause: "The JSON-RPC endpoint does not answer, or not with what it was asked for.",
    advice: "If this goes on, check `--rpc`.",
    role: "again",
    about: "host",
    exit: 2,
  },
  CHAIN_WRONG_NETWORK: {
    cause: "The endpoint serves, or the invitation is for, another chain than the one asked for.",
    advice: "Correct `--rpc` or `--chain-id`.",
    role: "end",
    about: "host",
    exit: 2,
  },
  CHAIN_NO_CONTRACT: {
    cause: "There is no Verisum contract at the address.",
    advice: "Check `--contract` and `--rpc`. A development chain forgets everything when it stops: deploy again.",
    role: "end",
    about: "host",
    exit: 1,
  },
  CONTRACT_REPLACED: {
    cause:
      "The contract is another deployment than the one that this role began with: a development chain was started again, or a reorganisation moved the deployment to another block.",
    advice:
      "Start the role again: it then takes part in the deployment that is there now, and sets aside what it kept of the earlier one. If nothing of the kind happened, use another `--rpc`.",
    role: "end",
    about: "host",
    exit: 1,
  },
  CHAIN_TOO_OLD: {
    cause: "The chain lacks instructions that the contracts are compiled for: those of Ethereum's Cancun upgrade.",
    advice: "Use a chain with the rules of Cancun or later. Nothing was sent.",
    role: "end",
    about: "host",
    exit: 1,
  },
  PAYMENT_UNFINISHED: {
    cause: "The same work was begun with other accounts or amounts, paid for in part, and not finished.",
    advice:
      "Repeat the command as it was, and it goes on where it stopped; or give `--again` to begin anew, which pays for everything once more.",
    role: "end",
    about: "input",
    exit: 1,
  },
  CONTRACTS_NOT_BUILT: {
    cause: "The contracts are not compiled, or do not compile.",
    advice: "Run `npm run build`; the compiler says what it does not take.",
    role: "end",
    about: "host",
    exit: 1,
  },
  CHAIN_REVERTED: {
    cause: "The contract refused a call; the evidence names its error.",
    advice:
      "The message names the contract's error; the table below lists them. A call that came too late is tried again by itself.",
    role: "again",
    about: "host",
    exit: 1,
    http: 422,
  },
  CHAIN_TRANSACTION_LOST: {
    cause: "A transaction was not mined in time.",
    advice: "If this goes on, check the account's balance and the network's fees.",
    role: "again",
    about: "host",
    exit: 1,
  },
  CHAIN_TRANSACTION_REFUSED: {
    cause: "The endpoint does not take a transaction, for another reason than the contract's.",
    advice:
      "If this goes on, check that nothing else sends transactions from the account, and the fees that the endpoint asks for.",
    role: "again",
    about: "host",
    exit: 1,
  },
  CHAIN_FUNDS_MISSING: {
    cause: "The account cannot pay for a transaction.",
    advice: "Send the account what the message says is missing; the role goes on by itself.",
    role: "again",
    about: "host",
    exit: 1,
  },
  CHAIN_FEES_TOO_HIGH: {
    cause: "The endpoint asks for more than may be paid for a unit of gas.",
    advice:
      "Compare the price that the message names with the network's. If it is the true one, wait, or raise `--max-fee-per-gas`; otherwise use another `--rpc`. Nothing is offered above the ceiling; the role goes on by itself.",
    role: "again",
    about: "host",
    exit: 1,
  },
  CHAIN_EVENTS_MISSING: {
    cause: "The endpoint's events lack one that its state or other events imply: it lags behind, or leaves some out.",
    advice: "If this goes on, use another `--rpc`.",
    role: "again",
    about: "others",
    exit: 2,
  },
  CHAIN_REORGANISED: {
    cause: "The chain's records changed while they were looked at.",
    advice: "If this goes on, use another `--rpc`, or more `--confirmations`.",
    role: "again",
    about: "host",
    exit: 1,
  },
  KEY_MISSING: {
    cause: "No secret key was given, or no password for one.",
    advice:
      "Give `--key <file>`, or set `VERISUM_KEY`; `npm run fl -- keygen --out <file>` makes a key. A keystore's password is `VERISUM_KEY_PASSWORD`.",
    role: "end",
    about: "input",
    exit: 1,
  },
  KEY_INVALID: {
    cause: "A key file or value cannot be used.",
    advice:
      "Give a file with 32 bytes in hexadecimal or a keystore, and for the latter the password in `VERISUM_KEY_PASSWORD`.",
    role: "end",
    about: "input",
    exit: 1,
  },
  KEY_FILE_PERMISSIONS: {
    cause: "A key file can be read by other users.",
    advice: "Run `chmod 600` on the file. If others may have read it, use a new key.",
    role: "end",
    about: "input",
    exit: 1,
  },
  SIGNATURE_INVALID: {
    cause: "A signature is malformed, or not by the account that it names.",
    advice: DISCARDED,
    role: "sit-out",
    about: "input",
    exit: 1,
    http: 403,
  },
  SEAT_REPLACED: {
    cause:
      "A statement is signed by an account that has the seat in other rounds: a member that was replaced, or is yet to come.",
    advice: `${DISCARDED} If the account is yours, its part in the task ends before that round, or has not begun: fl-operator list says from which round on a seat is whose.`,
    role: "sit-out",
    about: "input",
    exit: 1,
    http: 403,
  },
} as const satisfies Record<string, ErrorEntry>;
