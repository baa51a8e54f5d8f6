import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { revertOf, VERISUM_INTERFACE } from "../../chain/rpc.ts";

describe("a call that a contract refuses", () => {
  it("is refused by name where the contract says why", () => {
    const data = VERISUM_INTERFACE.encodeErrorResult("VerisumBatchEmpty", []);
    assert.equal(revertOf({ code: "CALL_EXCEPTION", data })?.details.error, "VerisumBatchEmpty");
  });

  it("is a refusal with a code also where it says nothing, as one without the called function does", () => {
    for (const data of ["0x", "0x01", "0x01020304"]) {
      const refusal = revertOf({ code: "CALL_EXCEPTION", data });
      assert.deepEqual([refusal?.code, refusal?.details.error], ["CHAIN_REVERTED", data]);
    }
    assert.equal(revertOf({ code: "SERVER_ERROR", data: "0x" }), undefined);
  });
});
