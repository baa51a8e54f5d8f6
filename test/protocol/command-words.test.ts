import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { commandWords } from "../../protocol/command-words.ts";
import { throwsCode } from "../support/errors.ts";

describe("a command line", () => {
  for (const [line, words] of [
    ["python train.py", ["python", "train.py"]],
    ["  a\t b ", ["a", "b"]],
    [`"my python" 'my train.py' --name="a b"c`, ["my python", "my train.py", "--name=a bc"]],
    [`a "" 'it"s'`, ["a", "", 'it"s']],
    ["a $HOME *.py ; b \\", ["a", "$HOME", "*.py", ";", "b", "\\"]],
  ] as const)
    it(`is split at blanks outside of quotes, and nothing in it is special to a shell: ${line}`, () =>
      assert.deepEqual(commandWords(line, "it"), words));

  for (const line of ["", "  ", `a "b`, "it's", `""`])
    it(`is refused: ${JSON.stringify(line)}`, () => throwsCode(() => commandWords(line, "it"), "USAGE"));
});
