/** What must hold for every policy and every request. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { type NaiveRequest, naiveVerdict } from "../../../tests/support/naive-policy.ts";
import {
  policyDocuments,
  type RandomStatement,
  requests,
  statements,
} from "../../../tests/support/policy-arbitraries.ts";
import { compilePolicy } from "./compile-policy.ts";
import { evaluate } from "./evaluate.ts";
import { parsePolicy } from "./parse-policy.ts";
import type { PolicyType } from "./policy-types.ts";

interface Document {
  Version: "2008-10-17" | "2012-10-17";
  Statement: RandomStatement[];
}

/** In the words of the naive reading. */
function verdict(
  documents: readonly Document[],
  request: NaiveRequest,
  type: PolicyType = "identity",
): string {
  const policies = documents.map((document, index) =>
    compilePolicy(`policy ${index}`, parsePolicy(JSON.stringify(document), type)),
  );
  const found = evaluate(policies, {
    action: request.action,
    resource: request.resource,
    caller: request.principal,
    values: (key) => request.values[key],
  });
  if (found.deny !== undefined) return "deny";
  return { itself: "allow", account: "account", none: "nothing" }[found.allowed];
}

const runs = { numRuns: 300 };
const document = policyDocuments(false);
const version = (...Statement: RandomStatement[]): Document => ({
  Version: "2012-10-17",
  Statement,
});
const grants = ["nothing", "account", "allow"];

/**
 * An exception whose variable has no value: the manual does not say what it spares, and here it is
 * what allows less. The naive reading does not know.
 */
const hasUnknownException = ({ Statement }: Document, { values }: NaiveRequest) =>
  values["aws:username"] === undefined &&
  Statement.some(({ NotResource }) => JSON.stringify(NotResource ?? "").includes("${"));

test("compiled and naive reading agree on policies of identities", () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(document, requests, (policy, request) => {
      fc.pre(!hasUnknownException(policy, request));
      const expected = naiveVerdict(policy, request);
      seen.set(expected, (seen.get(expected) ?? 0) + 1);
      expect(verdict([policy], request)).toBe(expected);
    }),
    { numRuns: 1500 },
  );
  // The random policies are about the random requests often enough.
  for (const outcome of ["deny", "allow", "nothing"]) {
    expect(seen.get(outcome) ?? 0).toBeGreaterThan(20);
  }
});

test("compiled and naive reading agree on policies of resources", () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(policyDocuments(true), requests, (policy, request) => {
      fc.pre(!hasUnknownException(policy, request));
      const expected = naiveVerdict(policy, request);
      seen.set(expected, (seen.get(expected) ?? 0) + 1);
      expect(verdict([policy], request, "endpoint")).toBe(expected);
    }),
    { numRuns: 1500 },
  );
  expect([...seen.keys()].sort()).toEqual(["account", "allow", "deny", "nothing"]);
});

const denyAll = { Effect: "Deny", Action: "*", Resource: "*" };

test("a deny never loses, wherever it stands", () => {
  fc.assert(
    fc.property(
      fc.array(document, { maxLength: 3 }),
      statements(false),
      requests,
      fc.nat(),
      (policies, statement, request, at) => {
        const narrow = version({ ...statement, Effect: "Deny" });
        const denying = verdict([narrow], request) === "deny" ? narrow : version(denyAll);
        const position = at % (policies.length + 1);
        expect(verdict(policies.toSpliced(position, 0, denying), request)).toBe("deny");
        const all = policies.flatMap(({ Statement }) => Statement);
        const within = at % (all.length + 1);
        expect(verdict([version(...all.toSpliced(within, 0, ...denying.Statement))], request)).toBe(
          "deny",
        );
      },
    ),
    runs,
  );
});

test("removing an allow never grants, adding a deny never does", () => {
  fc.assert(
    fc.property(policyDocuments(true), statements(true), requests, (policy, statement, request) => {
      const rank = (Statement: RandomStatement[]) =>
        grants.indexOf(verdict([{ ...policy, Statement }], request, "endpoint"));
      const before = rank(policy.Statement);
      for (const [index, { Effect }] of policy.Statement.entries()) {
        if (Effect !== "Allow") continue;
        expect(rank(policy.Statement.toSpliced(index, 1, unmatched))).toBeLessThanOrEqual(before);
      }
      const denying = { ...statement, Effect: "Deny" };
      expect(rank([...policy.Statement, denying])).toBeLessThanOrEqual(before);
    }),
    runs,
  );
});

/** Stands where a statement was taken out: a policy needs one. */
const unmatched = { Effect: "Allow", Action: "s3:None", Resource: "*", Principal: "*" };

test("the order of statements and of policies does not matter", () => {
  fc.assert(
    fc.property(
      fc
        .array(policyDocuments(true), { minLength: 1, maxLength: 3 })
        .chain((policies) =>
          fc.tuple(
            fc.constant(policies),
            fc.shuffledSubarray(policies, { minLength: policies.length }),
          ),
        ),
      requests,
      ([policies, shuffled], request) => {
        const expected = verdict(policies, request, "endpoint");
        expect(verdict(shuffled, request, "endpoint")).toBe(expected);
        const reversed = policies.map((policy) => ({
          ...policy,
          Statement: policy.Statement.toReversed(),
        }));
        expect(verdict(reversed, request, "endpoint")).toBe(expected);
      },
    ),
    runs,
  );
});

test("NotAction and NotResource are the opposites of Action and Resource", () => {
  fc.assert(
    fc.property(statements(false), requests, (statement, request) => {
      const applies = (Statement: RandomStatement) =>
        verdict([version(Statement)], request) !== "nothing";
      fc.pre(!hasUnknownException(version(statement), request));
      for (const name of ["Action", "Resource"]) {
        const other = `Not${name}`;
        const value = statement[name] ?? statement[other];
        const { [name]: _, [other]: __, ...rest } = statement;
        const plain = { ...rest, [name]: value };
        const negated = { ...rest, [other]: value };
        if (hasUnknownException(version(negated), request)) continue;
        const without = { ...rest, [name]: "*" };
        // Where the rest of the statement applies, exactly one of the two does.
        expect([applies(plain), applies(negated)].filter(Boolean)).toHaveLength(
          applies(without) ? 1 : 0,
        );
      }
    }),
    runs,
  );
});
