import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { amazonRegistry, chartEntries, regionsOf, registriesOf } from "./chart-values.ts";

const registry = { name: "backup", kind: "oci", endpoint: "https://registry.example.com" };
const region = { name: "us-east-1", endpoint: "http://127.0.0.1:5001", publicKey: "a".repeat(43) };
const read = (...entries: unknown[]) => v.safeParse(chartEntries.schema, entries);
const problemOf = (entry: unknown) => read(entry).issues?.[0].message;

describe("a chart", () => {
  test("has regions and registries", () => {
    const entries = v.parse(chartEntries.schema, [region, registry]);
    expect(regionsOf(entries)).toEqual([region]);
    expect(registriesOf(entries)).toEqual([
      { ...registry, kind: "oci", repository: "{repository}" },
    ]);
  });

  test("makes the paths of credentials absolute, and nothing else", () => {
    const entries = v.parse(chartEntries.schema, [
      region,
      { ...registry, credentials: { file: "login.json" } },
    ]);
    const resolved = chartEntries.resolvePaths?.(entries, "/etc/portolan") ?? [];
    expect(registriesOf(resolved)[0]?.credentials).toEqual({
      ...{ kind: "basic", file: "/etc/portolan/login.json" },
    });
    expect(resolved[0]).toEqual(region);
  });

  test("refuses names that are there twice", () => {
    expect(read(region, { ...registry, name: "us-east-1" }).success).toBe(false);
  });

  for (const [what, entry, message] of [
    ["an unknown kind", { ...registry, kind: "s3" }, "expected oci"],
    ["an unknown key", { ...registry, publicKey: "x" }, "unknown key; a registry has"],
    ["no mapping", { ...registry, repository: "all" }, "with {repository} in it"],
    ["another placeholder", { ...registry, repository: "{region}/{repository}" }, "{repository}"],
    ["credentials from nowhere", { ...registry, credentials: {} }, "either file or environment"],
    [
      "credentials from two places",
      { ...registry, credentials: { file: "a", environment: "B" } },
      "either file or environment",
    ],
    ["AWS keys for nowhere", { ...registry, credentials: { kind: "ecr", file: "a" } }, "region"],
    ["a region without its key", { name: "a1", endpoint: "http://a" }, "expected a region"],
  ] as const) {
    test(`refuses ${what}`, () => expect(problemOf(entry)).toContain(message));
  }

  test("takes mappings with a prefix and the account", () => {
    for (const repository of [
      "a/{repository}",
      "{account}/{repository}",
      "m-{account}/x-{repository}",
    ]) {
      expect(read({ ...registry, repository }).success).toBe(true);
    }
  });
});

test("Amazon's registries are known by their hosts, with the API beside them", () => {
  const api = (host: string) => amazonRegistry(`https://${host}`);
  expect(api("111122223333.dkr.ecr.eu-west-1.amazonaws.com")).toEqual({
    ...{ account: "111122223333", region: "eu-west-1" },
    apiEndpoint: "https://api.ecr.eu-west-1.amazonaws.com",
  });
  expect(api("111122223333.dkr.ecr-fips.us-east-1.amazonaws.com")?.apiEndpoint).toBe(
    "https://api.ecr-fips.us-east-1.amazonaws.com",
  );
  expect(api("111122223333.dkr-ecr.us-east-1.on.aws")?.apiEndpoint).toBe(
    "https://ecr.us-east-1.api.aws",
  );
  expect(api("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn")?.apiEndpoint).toBe(
    "https://api.ecr.cn-north-1.amazonaws.com.cn",
  );
  for (const host of ["public.ecr.aws", "1.dkr.ecr.us-east-1.amazonaws.com", "a.example.com"]) {
    expect(api(host)).toBeUndefined();
  }
});
