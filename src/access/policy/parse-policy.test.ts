import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { PolicyError, parsePolicy } from "./parse-policy.ts";
import { type PolicyType, policyCharacters } from "./policy-types.ts";

const statement = { Effect: "Allow", Action: "ecr:BatchGetImage", Resource: "*" };
const named = { ...statement, Principal: { AWS: "111122223333" } };
const { Resource: _, ...withoutResource } = named;
const trust = { Effect: "Allow", Principal: "*", Action: "sts:AssumeRole" };

const policy = (...statements: unknown[]) => ({ Version: "2012-10-17", Statement: statements });

function refusal(document: unknown, type: PolicyType): string {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  try {
    parsePolicy(text, type);
  } catch (error) {
    if (error instanceof PolicyError) return error.message;
    throw error;
  }
  return "good";
}

const syntax = "Syntax errors in policy.";
const legacy = "The policy failed legacy parsing";
const prefaced = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";

describe("identity policies", () => {
  const cases: [unknown, string][] = [
    [policy(statement), "good"],
    [{ Statement: statement }, "good"],
    [{ Version: "2008-10-17", Id: "old one", Statement: [statement] }, "good"],
    [policy({ ...statement, Action: ["ecr:*", "*", "ECR:batchgetimage"] }), "good"],
    [policy({ Effect: "Deny", NotAction: "iam:*", NotResource: "arn:aws:s3:::x" }), "good"],
    [policy({ ...statement, Resource: "arn:aws-cn:ecr:*:*:repository/a" }), "good"],
    [policy({ ...statement, Resource: "arn:*:ecr:*:*:repository/${aws:username}" }), "good"],
    [policy({ ...statement, Condition: {} }), "good"],
    [
      policy({ ...statement, Condition: { "ForAnyValue:StringLike": { "aws:TagKeys": [] } } }),
      "good",
    ],
    ["", "This policy contains invalid Json"],
    ["{", "This policy contains invalid Json"],
    ["[".repeat(100_000), "This policy contains invalid Json"],
    [`"${"x".repeat(140_000)}"`, "The policy is longer than a policy may be."],
    ["null", syntax],
    ["[]", syntax],
    ["1", syntax],
    [{}, syntax],
    [policy(), syntax],
    [{ Version: "2012-10-17", Statement: "none" }, syntax],
    [{ Version: "2012-10-18", Statement: statement }, syntax],
    [{ Version: 2012, Statement: statement }, syntax],
    [{ Version: "2012-10-17", Statement: statement, Comment: "" }, syntax],
    [{ version: "2012-10-17", Statement: statement }, syntax],
    ['{"__proto__":{},"Statement":[]}', syntax],
    [{ Id: 7, Statement: statement }, syntax],
    [policy({ ...statement, Sid: 7 }), syntax],
    [policy({ ...statement, Effect: "allow" }), syntax],
    [policy({ ...statement, Effect: undefined }), syntax],
    [policy({ ...statement, Why: "" }), syntax],
    [policy({ ...statement, NotAction: "ecr:*" }), syntax],
    [policy({ ...statement, NotResource: "*" }), syntax],
    [policy({ ...statement, Action: [7] }), syntax],
    [policy({ ...statement, Action: {} }), syntax],
    [policy({ ...statement, Resource: null }), syntax],
    [policy({ ...statement, Action: [] }), "Policy statement must contain actions."],
    [policy({ ...statement, Action: undefined }), "Policy statement must contain actions."],
    [policy({ ...statement, Resource: [] }), "Policy statement must contain resources."],
    [policy({ ...statement, Resource: undefined }), "Policy statement must contain resources."],
    [policy({ ...statement, Action: "BatchGetImage" }), prefaced],
    [policy({ ...statement, Action: ":BatchGetImage" }), prefaced],
    [policy({ ...statement, Action: "ecr:a:b" }), "Actions/Condition can contain only one colon."],
    [policy({ ...statement, Action: "e_r:a" }), "Vendor e_r is not valid"],
    [policy({ ...statement, Action: "ecr:" }), legacy],
    [policy({ ...statement, Action: "ecr:a b" }), legacy],
    [policy({ ...statement, Resource: "web" }), 'Resource web must be in ARN format or "*".'],
    [policy({ ...statement, Resource: "a:b:c" }), legacy],
    [
      policy({ ...statement, Resource: "arn:azure:ecr:::x" }),
      'Partition "azure" is not valid for resource "arn:azure:ecr:::x".',
    ],
    [
      policy({ ...statement, Resource: "arn:aws:e*r:::x" }),
      "Resource vendor must be fully qualified and cannot contain regexes.",
    ],
    [policy(named), "Policy document should not specify a principal."],
    [
      policy({ ...statement, Sid: "a b" }),
      "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
    ],
    [
      policy({ ...statement, Sid: "one" }, { ...statement, Sid: "one" }),
      "Statement IDs (SID) in a single policy must be unique.",
    ],
    [policy({ ...statement, Condition: [] }), syntax],
    [policy({ ...statement, Condition: { StringEqual: { "aws:Username": "jo" } } }), syntax],
    [policy({ ...statement, Condition: { NullIfExists: { "aws:Username": "true" } } }), syntax],
    [policy({ ...statement, Condition: { "ForSome:StringLike": { "a:b": "c" } } }), syntax],
    [policy({ ...statement, Condition: { StringEquals: "jo" } }), syntax],
    [policy({ ...statement, Condition: { StringEquals: { "aws:Username": { a: 1 } } } }), syntax],
    [policy({ ...statement, Condition: { StringEquals: { "aws:Username": null } } }), syntax],
    [policy({ ...statement, Condition: { StringEquals: { Username: "jo" } } }), prefaced],
    [policy({ ...statement, Condition: { IpAddress: { "aws:SourceIp": "1.2.3" } } }), legacy],
    [policy({ ...statement, Condition: { Bool: { "aws:SecureTransport": "yes" } } }), legacy],
    [policy({ ...statement, Condition: { Null: { "aws:SecureTransport": "yes" } } }), legacy],
    [policy({ ...statement, Condition: { DateLessThan: { "aws:CurrentTime": "soon" } } }), legacy],
    [policy({ ...statement, Condition: { NumericEquals: { "aws:EpochTime": "x" } } }), legacy],
    [policy({ ...statement, Condition: { BinaryEquals: { "a:b": "?" } } }), legacy],
  ];
  for (const [document, expected] of cases) {
    const shown = typeof document === "string" ? document : JSON.stringify(document);
    test(`${expected} ${shown.slice(0, 120)}`, () => {
      expect(refusal(document, "identity")).toBe(expected);
      expect(refusal(document, "session")).toBe(expected);
    });
  }
});

describe("policies of resources", () => {
  const sts = "AssumeRole policy may only specify STS AssumeRole actions.";
  const invalid = (principal: string) => `Invalid principal in policy: "AWS":"${principal}"`;
  const aws = (principal: unknown) => policy({ ...trust, Principal: { AWS: principal } });
  const cases: [PolicyType, unknown, string][] = [
    ["trust", policy(trust), "good"],
    ["trust", policy({ ...trust, Action: ["sts:AssumeRole", "sts:TagSession"] }), "good"],
    ["trust", policy({ ...trust, Principal: { Service: "ec2.amazonaws.com" } }), "good"],
    ["trust", policy({ ...trust, Principal: { Federated: ["arn:aws:iam::1:x"] } }), "good"],
    ["trust", policy({ ...trust, Resource: "*" }), "Has prohibited field Resource"],
    ["trust", policy({ ...trust, Action: "ecr:BatchGetImage" }), sts],
    ["trust", policy({ ...trust, Action: "*" }), sts],
    ["trust", policy({ ...trust, Principal: undefined }), "Missing required field Principal"],
    ["trust", policy({ ...trust, Principal: {} }), "Missing required field Principal"],
    ["trust", policy({ ...trust, Principal: { AWS: [] } }), "Missing required field Principal"],
    ["trust", policy({ ...trust, Principal: "arn:aws:iam::111122223333:root" }), syntax],
    ["trust", policy({ ...trust, Principal: { Aws: "*" } }), syntax],
    ["trust", policy({ ...trust, NotPrincipal: "*" }), syntax],
    ["trust", aws("*"), "good"],
    ["trust", aws("111122223333"), "good"],
    ["trust", aws(["arn:aws:iam::111122223333:root", "*"]), "good"],
    ["trust", aws("arn:aws:iam::111122223333:user/team/jo"), "good"],
    ["trust", aws("arn:aws:iam::111122223333:role/a"), "good"],
    ["trust", aws("arn:aws:sts::111122223333:assumed-role/a/b"), "good"],
    ["trust", aws("AIDAABCDEFGHIJKLMNOPQ"), "good"],
    ["trust", aws("jo"), invalid("jo")],
    ["trust", aws("arn:aws:iam::111122223333:user/*"), invalid("arn:aws:iam::111122223333:user/*")],
    [
      "trust",
      aws("arn:aws:iam::111122223333:group/a"),
      invalid("arn:aws:iam::111122223333:group/a"),
    ],
    ["trust", aws("11112222333"), invalid("11112222333")],
    ["repository", policy(named), "good"],
    ["repository", policy(withoutResource), "good"],
    ["repository", policy({ ...withoutResource, Sid: "new statement" }), "good"],
    ["repository", policy({ ...named, Sid: "a" }, { ...named, Sid: "a" }), "good"],
    ["repository", policy({ ...named, Action: "ecr:Batch*" }), "good"],
    ["repository", policy({ ...named, Action: "*" }), "good"],
    ["repository", policy(statement), "Missing required field Principal"],
    [
      "repository",
      policy({ ...named, Action: "s3:GetObject" }),
      "s3:GetObject is no action of Amazon ECR",
    ],
    ["repository", policy({ ...named, Action: "ecr:Pull" }), "ecr:Pull is no action of Amazon ECR"],
    ["registry", policy(named), "good"],
    ["registry", policy(withoutResource), "Policy statement must contain resources."],
    ["endpoint", policy({ ...named, Action: "s3:*" }), "good"],
    ["endpoint", policy(statement), "Missing required field Principal"],
  ];
  for (const [type, document, expected] of cases) {
    test(`${type}: ${expected} ${JSON.stringify(document).slice(0, 120)}`, () => {
      expect(refusal(document, type)).toBe(expected);
    });
  }
});

test("whatever is given, it is read or refused, and nothing else happens", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.jsonValue().map((value) => JSON.stringify(policy(value))),
        fc.jsonValue().map((value) => JSON.stringify(policy({ ...statement, Condition: value }))),
        fc
          .dictionary(fc.constantFrom("Effect", "Action", "Resource", "Principal"), fc.jsonValue())
          .map((members) => JSON.stringify(policy({ ...named, ...members }))),
      ),
      (text) => {
        expect(typeof refusal(text, "repository")).toBe("string");
      },
    ),
    { numRuns: 2000 },
  );
});

test("white space does not count for IAM's limits", () => {
  expect(policyCharacters('{\n\t"a": "b c"\r\n}')).toBe('{"a":"bc"}'.length);
});
