/** Which mutants a contract's syntax tree offers, as edits of its source text. */

/** A node of the compiler's syntax tree, as far as mutation reads it. */
export interface Node {
  readonly nodeType: string;
  /** Start and length in bytes, and the file. */
  readonly src: string;
  readonly [field: string]: unknown;
}

/**
 * One mutant: the text in [start, end) becomes what `write` says. `isActive` is an expression that holds while the
 * mutant is switched on, `original` the text as it was and `inner` the same with the mutants inside it.
 */
export interface Mutant {
  readonly operator: string;
  /** Whether it puts another number in a literal's place. */
  readonly isNumber?: boolean;
  readonly start: number;
  readonly end: number;
  readonly write: (isActive: string, inner: string, original: string) => string;
}

const COMPARISONS: Readonly<Record<string, string>> = {
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "==": "!=",
  "!=": "==",
};
const EXCHANGED: Readonly<Record<string, string>> = { ...COMPARISONS, "+": "-", "-": "+", "&&": "||", "||": "&&" };
const STATE_CHANGES = new Set(["Assignment", "UnaryOperation", "FunctionCall"]);

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "nodeType" in value;
}

/** Start and end in the source. */
export function rangeOf({ src }: Node): readonly [number, number] {
  const [start, length] = src.split(":").map(Number) as [number, number];
  return [start, start + length];
}

/** The end of a statement, its semicolon included. */
export function endOf(node: Node, text: string): number {
  const [, last] = rangeOf(node);
  return text[last] === ";" ? last + 1 : last;
}

/** Children with the name of the field they stand in. */
export function childrenOf(node: Node): [string, Node][] {
  return Object.entries(node).flatMap(([field, value]): [string, Node][] =>
    (Array.isArray(value) ? value : [value]).filter(isNode).map((child) => [field, child]),
  );
}

/** All mutants below a node. @param text The source; one character a byte. */
export function mutantsOf(node: Node, text: string, field = "", parent?: Node): Mutant[] {
  // What the compiler must know as a number, and what it does not run.
  if (node["constant"] === true || node.nodeType === "ArrayTypeName" || node.nodeType === "InlineAssembly") return [];
  const below = childrenOf(node).flatMap(([name, child]) => mutantsOf(child, text, name, node));
  return [...offeredBy(node, text, field, parent), ...below];
}

function offeredBy(node: Node, text: string, field: string, parent: Node | undefined): Mutant[] {
  switch (node.nodeType) {
    case "IfStatement":
      return conditionMutants(node, text);
    case "ExpressionStatement":
    case "EmitStatement":
      return parent?.nodeType === "ForStatement" && field !== "body" ? [] : droppedStatement(node, text);
    case "BinaryOperation":
      return exchangedOperator(node, text);
    case "Literal":
      return numbersBeside(node, parent);
    case "FunctionCall":
      return (node["expression"] as Node)["name"] === "keccak256" ? [constantHash(node)] : [];
    default:
      return [];
  }
}

/** A check that reverts is dropped, and turned round. */
function conditionMutants(node: Node, text: string): Mutant[] {
  const [start, end] = rangeOf(node["condition"] as Node);
  const body = text.slice(...rangeOf(node["trueBody"] as Node));
  const negated: Mutant = {
    operator: "negate condition",
    start,
    end,
    write: (isActive, inner) => `((${inner}) != (${isActive}))`,
  };
  const dropped: Mutant = {
    operator: "drop check",
    start,
    end,
    write: (isActive, inner) => `((${inner}) && !(${isActive}))`,
  };
  return /\brevert\b/.test(body) ? [negated, dropped] : [negated];
}

function droppedStatement(node: Node, text: string): Mutant[] {
  const expression = (node["expression"] ?? node["eventCall"]) as Node;
  const called = text.slice(...rangeOf(expression));
  if (!STATE_CHANGES.has(expression.nodeType) || called.startsWith("assert(")) return [];
  const [start] = rangeOf(node);
  const end = endOf(node, text);
  return [
    {
      operator: "drop statement",
      start,
      end,
      write: (isActive, inner) => `{ if (!(${isActive})) { ${inner}${inner.endsWith(";") ? "" : ";"} } }`,
    },
  ];
}

function exchangedOperator(node: Node, text: string): Mutant[] {
  const operator = String(node["operator"]);
  const other = EXCHANGED[operator];
  if (other === undefined) return [];
  const [start, end] = rangeOf(node);
  const [, leftEnd] = rangeOf(node["leftExpression"] as Node);
  const [rightStart] = rangeOf(node["rightExpression"] as Node);
  const between = text.slice(leftEnd, rightStart).replace(operator, other);
  const changed = `${text.slice(start, leftEnd)}${between}${text.slice(rightStart, end)}`;
  return [
    {
      operator: `${operator} to ${other}`,
      start,
      end,
      write: (isActive, inner) => `(${isActive} ? ${changed} : ${inner})`,
    },
  ];
}

function numbersBeside(node: Node, parent: Node | undefined): Mutant[] {
  const value = String(node["value"]);
  // The left side of a shift and a converted number take their type from being a literal.
  const isShifted = parent?.nodeType === "BinaryOperation" && String(parent["operator"]) === "<<";
  if (node["kind"] !== "number" || !/^\d{1,4}$/.test(value) || isShifted) return [];
  const [start, end] = rangeOf(node);
  return [Number(value) + 1, Number(value) - 1]
    .filter((other) => other >= 0)
    .map((other) => ({
      operator: `${value} to ${other}`,
      isNumber: true,
      start,
      end,
      write: (isActive: string, inner: string) => `(${isActive} ? ${other} : ${inner})`,
    }));
}

function constantHash(node: Node): Mutant {
  const [start, end] = rangeOf(node);
  return {
    operator: "constant hash",
    start,
    end,
    write: (isActive, inner) => `(${isActive} ? bytes32(uint256(7)) : ${inner})`,
  };
}
