/** How the bootstrap fails: a line for the user and an exit code of its own (sysexits). */

export const EXIT = { usage: 64, unavailable: 69, software: 70, cannotCreate: 73, config: 78 };

/** A failure with a message for the user and an exit code. */
export class BootstrapError extends Error {
  constructor(exitCode, message) {
    super(message);
    this.exitCode = exitCode;
  }
}

export const say = (line) => process.stderr.write(`verisum: ${line}\n`);

/** Runs the action; a failure becomes a line and the exit code of the process. */
export async function reporting(action) {
  try {
    await action();
  } catch (error) {
    const known = error instanceof BootstrapError;
    const diskFailure = {
      ENOSPC: "The disk is full.",
      EACCES: "The repository is not writable.",
      EROFS: "The repository is not writable.",
    }[error.code];
    say(known ? error.message : (diskFailure ?? error.stack));
    process.exitCode = known ? error.exitCode : diskFailure === undefined ? EXIT.software : EXIT.cannotCreate;
  }
}
