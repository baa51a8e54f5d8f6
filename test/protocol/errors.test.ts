import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import ts from "typescript";
import { ensure, ensureRules, ERRORS, isErrorCode, VerisumError } from "../../protocol/errors.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import type { ErrorEntry } from "../../protocol/errors/entry.ts";
import { throwsCode } from "../support/errors.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const ROOMS =
  "aggregator,auditor,bin,chain,client,command,content,demo,experiments,ignition,indexer,learning,member,operator,protocol,proving,scripts,storage,task";
const CODES = Object.keys(ERRORS) as ErrorCode[];

/** Sources outside the registry, parsed. */
const sources = globSync(`{${ROOMS}}/**/*.ts`, { cwd: ROOT })
  .filter((path) => !path.startsWith("protocol/errors"))
  .map((path) => ts.createSourceFile(path, readFileSync(join(ROOT, path), "utf8"), ts.ScriptTarget.Latest, true));

function nodesOf(source: ts.SourceFile): ts.Node[] {
  const nodes: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    nodes.push(node);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return nodes;
}

const codeOf = (node: ts.Node): ErrorCode | undefined =>
  ts.isStringLiteral(node) && isErrorCode(node.text) ? node.text : undefined;

const COMPARISONS = [
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
];

/** Whether a literal only asks for a code: in a comparison, a case, a type, or a question to `isVerisumError`. */
function asks({ parent }: ts.Node): boolean {
  return (
    ts.isLiteralTypeNode(parent) ||
    ts.isCaseClause(parent) ||
    (ts.isBinaryExpression(parent) && COMPARISONS.includes(parent.operatorToken.kind)) ||
    (ts.isCallExpression(parent) && parent.expression.getText() === "isVerisumError")
  );
}

/** Codes that a node lists: an array's elements, an object's names, a switch's cases. */
function listed(node: ts.Node): ErrorCode[] {
  if (ts.isArrayLiteralExpression(node)) return node.elements.flatMap((element) => codeOf(element) ?? []);
  if (ts.isObjectLiteralExpression(node))
    return node.properties.flatMap(({ name }) =>
      name !== undefined && (ts.isIdentifier(name) || ts.isStringLiteral(name)) && isErrorCode(name.text)
        ? [name.text]
        : [],
    );
  if (ts.isCaseBlock(node))
    return node.clauses.flatMap((clause) => (ts.isCaseClause(clause) ? (codeOf(clause.expression) ?? []) : []));
  return [];
}

const where = (node: ts.Node): string => {
  const source = node.getSourceFile();
  return `${source.fileName}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
};

describe("the registry of errors", () => {
  const raised = new Set(
    sources.flatMap((source) =>
      nodesOf(source).flatMap((node) => {
        const code = codeOf(node);
        return code === undefined || asks(node) ? [] : [code];
      }),
    ),
  );

  for (const code of CODES)
    it(`${code} is raised somewhere, and says its cause and what to do`, () => {
      assert.ok(raised.has(code), "nothing raises it");
      assert.match(ERRORS[code].cause, /^[A-Z].*\.$/);
      assert.match(ERRORS[code].advice, /^[A-Z].*\.$/);
    });

  it("has each code in one file", () => {
    const names = globSync("protocol/errors/*.ts", { cwd: ROOT }).flatMap((path) =>
      [...readFileSync(join(ROOT, path), "utf8").matchAll(/^ {2}([A-Z][A-Z0-9_]+): \{$/gm)].map(([, name]) => name!),
    );
    assert.deepEqual(names.toSorted(), CODES.toSorted());
  });

  it("takes no code without a consequence", () => {
    const entry = { cause: "C.", advice: "A.", about: "input", exit: 1 } as const;
    // @ts-expect-error a role's consequence is missing
    const incomplete = { CODE: entry } satisfies Record<string, ErrorEntry>;
    assert.ok(incomplete);
  });

  it("is the only list of codes", () => {
    const lists = sources.flatMap((source) => nodesOf(source).filter((node) => new Set(listed(node)).size > 1));
    assert.deepEqual(lists.map(where), []);
  });

  it("is asked, and codes are not read as text", () => {
    const reading = sources.flatMap((source) =>
      nodesOf(source).filter(
        (node) =>
          ts.isCallExpression(node) && /\bcode\.(startsWith|endsWith|includes|match)$/.test(node.expression.getText()),
      ),
    );
    assert.deepEqual(reading.map(where), []);
  });

  it("would notice lists of codes", () => {
    const source = ts.createSourceFile(
      "list.ts",
      'f(["USAGE", "INTERRUPTED"]); g({ USAGE: 1, INTERRUPTED: 2 }); switch (x) { case "USAGE": case "INTERRUPTED": }',
      ts.ScriptTarget.Latest,
      true,
    );
    assert.equal(nodesOf(source).filter((node) => listed(node).length > 1).length, 3);
  });
});

describe("a condition that must hold", () => {
  it("is thrown with its code, message and details if it does not", () => {
    assert.throws(
      () => ensure(Number("0") === 1, "SHARE_INDEX", "not one", { index: 0 }),
      (error) =>
        error instanceof VerisumError &&
        error.code === "SHARE_INDEX" &&
        error.message === "not one" &&
        error.details.index === 0 &&
        error.entry === ERRORS.SHARE_INDEX,
    );
    ensure(Number("1") === 1, "SHARE_INDEX", "not one");
  });

  it("is named by the first rule that does not hold", () => {
    ensureRules("USAGE", { a: true, b: true });
    throwsCode(() => ensureRules("USAGE", { a: true, b: false, c: false }), "USAGE");
    assert.throws(() => ensureRules("USAGE", { a: true, b: false, c: false }, { of: 1 }), {
      details: { of: 1, rule: "b" },
    });
  });
});
