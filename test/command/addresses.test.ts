import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { address, addressOrNone } from "../../command/options.ts";

describe("an account on the command line", () => {
  const given = `0x${"aB".repeat(20)}`;

  it("is forty hexadecimal digits, in any case but a checksum's that does not hold", () => {
    assert.equal(address(given.toLowerCase()), given.toLowerCase());
    for (const text of ["", "0x", given.slice(0, -1), `${given}0`, given.slice(2), "none"])
      assert.throws(() => address(text), { code: "commander.invalidArgument" }, text);
  });

  it("is nobody's where a command takes none", () => {
    assert.equal(addressOrNone("none"), null);
    assert.equal(addressOrNone(given.toLowerCase()), given.toLowerCase());
    assert.throws(() => addressOrNone("nobody"), { code: "commander.invalidArgument" });
  });
});
