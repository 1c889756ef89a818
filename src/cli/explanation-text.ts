/** An explanation of a decision, for people. */
import type { ExplainedStatement, Explanation } from "../access/explain.ts";

const kinds = {
  identity: "identity-based policy",
  boundary: "permissions boundary",
  session: "session policy",
  resource: "resource-based policy",
  trust: "role trust policy",
  endpoint: "endpoint policy",
} satisfies Record<Explanation["policies"][number]["kind"], string>;

export function explanationText({ decision, message, by, policies }: Explanation): string {
  const lines = [`${decision}: ${message}`];
  if (by !== undefined) {
    lines.push(`  by statement ${by.statement} of the ${kinds[by.kind]} ${by.policy}`);
  }
  if (policies.length === 0) lines.push("", "There are no policies about it.");
  for (const { kind, name, statements } of policies) {
    lines.push("", `${kinds[kind]} ${name}`, ...statements.flatMap(statementLines));
  }
  return `${lines.join("\n")}\n`;
}

function statementLines(statement: ExplainedStatement): string[] {
  const { applies, because, conditions = [] } = statement;
  const verdict =
    applies === "account"
      ? "applies to the caller's account, whose own policies must allow too"
      : applies
        ? "applies"
        : `does not apply: ${because}`;
  return [
    `  ${statement.effect.padEnd(5)} ${statement.statement}: ${verdict}`,
    ...conditions.map(({ operator, key, expected, actual, holds }) => {
      const value = actual === null ? "absent" : JSON.stringify(actual);
      const mark = holds ? "holds" : "does not hold";
      return `        ${operator} ${key} ${JSON.stringify(expected)}: ${mark}, the request has ${value}`;
    }),
  ];
}
