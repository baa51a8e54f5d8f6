/** What coverage counts: each statement, and each simple condition, true and false; nothing inside assembly. */
import { childrenOf, endOf, rangeOf } from "./operators.ts";
import type { Mutant, Node } from "./operators.ts";

const STATEMENTS = new Set([
  "BreakStatement",
  "EmitStatement",
  "ExpressionStatement",
  "ForStatement",
  "IfStatement",
  "InlineAssembly",
  "PlaceholderStatement",
  "Return",
  "RevertStatement",
  "VariableDeclarationStatement",
  "WhileStatement",
]);
const BLOCKS = new Set(["Block", "UncheckedBlock"]);
const DECISIONS = new Set(["Conditional", "DoWhileStatement", "ForStatement", "IfStatement", "WhileStatement"]);

/** All points below a node. @param text The source; one character a byte. */
export function pointsOf(node: Node, text: string, field = "", parent?: Node): Mutant[] {
  if (node["constant"] === true) return [];
  const below =
    node.nodeType === "InlineAssembly"
      ? []
      : childrenOf(node).flatMap(([name, child]) => pointsOf(child, text, name, node));
  return [...statementPoint(node, text, field, parent), ...conditionPoints(node, field, parent), ...below];
}

function statementPoint(node: Node, text: string, field: string, parent: Node | undefined): Mutant[] {
  const isPart = parent?.nodeType === "ForStatement" && field !== "body";
  if (!STATEMENTS.has(node.nodeType) || isPart) return [];
  const isInBlock = parent !== undefined && BLOCKS.has(parent.nodeType);
  return [
    {
      operator: "statement",
      start: rangeOf(node)[0],
      end: endOf(node, text),
      write: (count, inner) => (isInBlock ? `${count}; ${inner}` : `{ ${count}; ${inner} }`),
    },
  ];
}

/** A decision's simple conditions, which no other decision around it has counted. */
function conditionPoints(node: Node, field: string, parent: Node | undefined): Mutant[] {
  const isDecision = parent !== undefined && DECISIONS.has(parent.nodeType) && field === "condition";
  const isJoined = isConnective(node) && !(parent !== undefined && isTransparent(parent)) && !isDecision;
  return isDecision || isJoined ? simpleConditions(node).flatMap(bothOutcomes) : [];
}

function isConnective(node: Node): boolean {
  return node.nodeType === "BinaryOperation" && ["&&", "||"].includes(String(node["operator"]));
}

/** Whether a condition is what its parts are: it joins, negates or puts into brackets. */
function isTransparent(node: Node): boolean {
  const isNegation = node.nodeType === "UnaryOperation" && node["operator"] === "!";
  return isConnective(node) || isNegation || node.nodeType === "TupleExpression";
}

function simpleConditions(node: Node): Node[] {
  return isTransparent(node) ? childrenOf(node).flatMap(([, child]) => simpleConditions(child)) : [node];
}

function bothOutcomes(node: Node): Mutant[] {
  const [start, end] = rangeOf(node);
  return [
    { operator: "true", start, end, write: (count, inner) => `((${inner}) && !(${count}))` },
    { operator: "false", start, end, write: (count, inner) => `((${inner}) || ${count})` },
  ];
}
