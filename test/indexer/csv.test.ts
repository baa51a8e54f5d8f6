/** Texts of strangers in files that spreadsheets open. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { csvCell, csvOf } from "../../indexer/api/csv.ts";

describe("lists as CSV", () => {
  it("keep a text that a spreadsheet would compute a text, and numbers numbers", () => {
    for (const text of ["=1+1", "+1", "-2+3+cmd|' /C calc'!A0", "@x", "\tx"]) assert.equal(csvCell(text), `'${text}`);
    assert.equal(csvCell("\r=1"), `"'\r=1"`);
    assert.equal(csvCell(-2), "-2");
    assert.equal(csvCell("a-b=c"), "a-b=c");
    assert.equal(csvCell('a,"b"'), '"a,""b"""');
  });

  it("have a line of names and a line for each row", () => {
    assert.equal(csvOf(["a", "b"], [{ a: 1, b: null }]), "a,b\r\n1,\r\n");
  });
});
