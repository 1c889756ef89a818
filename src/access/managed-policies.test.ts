import { expect, test } from "bun:test";
import { ecrActions } from "./ecr-actions.ts";
import { managedPolicies } from "./managed-policies.ts";
import { compilePolicy } from "./policy/compile-policy.ts";
import { parsePolicy } from "./policy/parse-policy.ts";

const compiled = [...managedPolicies.values()].map(({ arn, document }) =>
  compilePolicy(arn, parsePolicy(document, "identity")),
);

test("every one of them is a good policy under its own ARN", () => {
  expect(compiled.map(({ name }) => name)).toEqual([...managedPolicies.keys()]);
  const ids = [...managedPolicies.values()].map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^ANPA[A-Z0-9]{17}$/);
});

test("those of ECR name only actions that are there", () => {
  const named = compiled.flatMap(({ policy }) =>
    policy.statements.flatMap(({ action }) => action.patterns),
  );
  const actions = named.filter((action) => /^ecr:[^*]*$/.test(action));
  expect(actions.length).toBeGreaterThan(40);
  const known = new Set<string>(ecrActions.map((action) => `ecr:${action}`));
  expect(actions.filter((action) => !known.has(action))).toEqual([]);
});

test("a power user pushes and cannot delete; a reader cannot push", () => {
  const allows = (name: string, action: string) =>
    compiled.find((policy) => policy.name.endsWith(`/${name}`))?.statementsFor(action).length === 1;
  const [powerUser, readOnly] = [
    "AmazonEC2ContainerRegistryPowerUser",
    "AmazonEC2ContainerRegistryReadOnly",
  ];
  expect(allows(powerUser, "ecr:PutImage")).toBe(true);
  expect(allows(powerUser, "ecr:BatchDeleteImage")).toBe(false);
  expect(allows(readOnly, "ecr:BatchGetImage")).toBe(true);
  expect(allows(readOnly, "ecr:PutImage")).toBe(false);
});
