import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { repeatedKey } from "../../protocol/repeated-key.ts";
import { check } from "../support/properties.ts";

describe("a key that is there twice", () => {
  it("is found in every object, however it is written, and in no value", () => {
    for (const text of ['{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '[{"b":{"a":1, "a" :1}}]', '{"\\"":1,"\\"":2}'])
      assert.notEqual(repeatedKey(text), undefined, text);
    for (const text of [
      '{"a":{"a":{"a":1}},"b":{"a":1}}',
      '[{"a":1},{"a":1}]',
      '{"a":"a\\":","b":"a\\\\"}',
      '{"a":"{\\"a\\":1}","b":["a","a"]}',
      '"a"',
      "{}",
    ])
      assert.equal(repeatedKey(text), undefined, text);
    assert.equal(repeatedKey('{"__proto__":1,"__proto__":2}'), "__proto__");
  });

  it("is in no JSON that a program writes, and in each where one is written again", () => {
    check(fc.json({ maxDepth: 4 }), (text) => assert.equal(repeatedKey(text), undefined));
    check(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), (object) => {
      const [key] = Object.keys(object);
      const text = JSON.stringify(object);
      assert.equal(repeatedKey(`${text.slice(0, -1)},${JSON.stringify(key)}:1}`), key);
    });
  });

  it("is looked for in a line of many millions of characters", () => {
    const value = `data:${"x".repeat(1 << 24)}`;
    assert.equal(repeatedKey(JSON.stringify({ a: value, b: [value] })), undefined);
    assert.equal(repeatedKey(`{"a":"${value}","a":1}`), "a");
  });
});
