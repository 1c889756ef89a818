import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import * as v from "valibot";
import { type AwsEndpoint, startAwsEndpoint } from "../../tests/support/aws-endpoint.ts";
import { selectChanges } from "../metadata/queries/changes.ts";
import type { ChangeObserver } from "../registry/context.ts";
import { isRegistryError } from "../registry/errors.ts";
import {
  type Destination,
  destinationsFor,
  getReplicationConfiguration,
  putReplicationConfiguration,
  type ReplicationConfiguration,
  replicationConfigurationSchema,
  validateReplicationConfiguration,
} from "./configuration.ts";

const account = "111122223333";
const to = (region: string, registryId = account): Destination => ({ region, registryId });
const push = (repository: string) => ({ repository, tag: "1", artifactType: "" });
const filter = (text: string) => ({ filter: text, filterType: "PREFIX_MATCH" as const });

describe("destinationsFor", () => {
  test("a rule without filters takes every repository", () => {
    const configuration = { rules: [{ destinations: [to("eu-west-1")] }] };
    expect(destinationsFor(configuration, push("anything/at-all"))).toEqual([to("eu-west-1")]);
  });

  test("a filter is the bare beginning of a name, not a piece of a path", () => {
    const configuration = {
      rules: [{ destinations: [to("eu-west-1")], repositoryFilters: [filter("prod")] }],
    };
    for (const name of ["prod", "prod-x", "production/y", "prod/z"]) {
      expect(destinationsFor(configuration, push(name))).toHaveLength(1);
    }
    for (const name of ["pro", "team/prod", "dev"]) {
      expect(destinationsFor(configuration, push(name))).toHaveLength(0);
    }
  });

  test("rules and filters add up, each destination once, in the order of the rules", () => {
    const configuration = {
      rules: [
        {
          destinations: [to("eu-west-1"), to("sa-east-1")],
          repositoryFilters: [filter("prod-"), filter("base/")],
        },
        { destinations: [to("sa-east-1"), to("eu-west-1", "444455556666")] },
      ],
    };
    expect(destinationsFor(configuration, push("base/debian"))).toEqual([
      to("eu-west-1"),
      to("sa-east-1"),
      to("eu-west-1", "444455556666"),
    ]);
    expect(destinationsFor(configuration, push("dev"))).toEqual([
      to("sa-east-1"),
      to("eu-west-1", "444455556666"),
    ]);
  });

  test("a destination is there exactly when a rule that names it takes the repository", () => {
    const regions = fc.constantFrom("eu-west-1", "sa-east-1", "us-west-2");
    const names = fc.stringMatching(/^[ab]{1,4}$/);
    const rule = fc.record({
      destinations: fc.array(
        regions.map((region) => to(region)),
        { maxLength: 4 },
      ),
      repositoryFilters: fc.option(fc.array(names.map(filter), { minLength: 1, maxLength: 3 }), {
        nil: undefined,
      }),
    });
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 5 }), names, (rules, repository) => {
        const found = destinationsFor({ rules }, push(repository)).map(({ region }) => region);
        expect(new Set(found).size).toBe(found.length);
        for (const region of ["eu-west-1", "sa-east-1", "us-west-2"]) {
          const expected = rules.some(
            ({ destinations, repositoryFilters }) =>
              destinations.some((destination) => destination.region === region) &&
              (repositoryFilters ?? [filter("")]).some(
                (one) => repository.slice(0, one.filter.length) === one.filter,
              ),
          );
          expect(found.includes(region)).toBe(expected);
        }
      }),
    );
  });
});

describe("the schema", () => {
  const schema = replicationConfigurationSchema();
  const accepts = (input: unknown) => v.is(schema, input);
  const rules = (rule: object, count = 1) => ({ rules: Array(count).fill(rule) });

  test("takes what ECR takes", () => {
    expect(accepts({ rules: [] })).toBe(true);
    expect(accepts(rules({ destinations: [] }))).toBe(true);
    expect(accepts(rules({ destinations: [to("eu-west-1")], repositoryFilters: null }))).toBe(true);
    expect(accepts(rules({ destinations: [to("eu-west-1")] }, 10))).toBe(true);
    for (const text of ["prod", "prod-", "prod/", "a_b.c/d-", "ab/cd/ef__", "x".repeat(256)]) {
      expect(accepts(rules({ destinations: [], repositoryFilters: [filter(text)] }))).toBe(true);
    }
  });

  test("refuses what ECR refuses", () => {
    const refused: unknown[] = [
      {},
      { rules: null },
      rules({ destinations: [] }, 11),
      rules({}),
      rules({ destinations: Array(101).fill(to("eu-west-1")) }),
      rules({ destinations: [to("e")] }),
      rules({ destinations: [to("EU-WEST-1")] }),
      rules({ destinations: [to("r".repeat(26))] }),
      rules({ destinations: [to("eu-west-1", "12345678901")] }),
      rules({ destinations: [to("eu-west-1", "12345678901a")] }),
      rules({ destinations: [{ region: "eu-west-1" }] }),
      rules({ destinations: [], repositoryFilters: [] }),
      rules({ destinations: [], repositoryFilters: Array(101).fill(filter("prod")) }),
      rules({ destinations: [], repositoryFilters: [{ filter: "prod", filterType: "EXACT" }] }),
      ...["p", "Prod", "prod*", "/prod", "a//b", "x".repeat(257)].map((text) =>
        rules({ destinations: [], repositoryFilters: [filter(text)] }),
      ),
    ];
    for (const input of refused)
      expect({ input, accepted: accepts(input) }).toEqual({ input, accepted: false });
  });

  test("its limits are parameters", () => {
    const limits = { rules: 1, destinationsPerRule: 2, uniqueDestinations: 3, filtersPerRule: 1 };
    const small = replicationConfigurationSchema(limits);
    expect(v.is(small, rules({ destinations: [to("eu-west-1")] }))).toBe(true);
    expect(v.is(small, rules({ destinations: [] }, 2))).toBe(false);
    expect(v.is(small, rules({ destinations: Array(3).fill(to("eu-west-1")) }))).toBe(false);
  });
});

describe("validateReplicationConfiguration", () => {
  const source = { region: "us-east-1", account };
  const reasonOf = (configuration: ReplicationConfiguration, knownRegions?: string[]) => {
    try {
      validateReplicationConfiguration(configuration, {
        ...source,
        knownRegions: knownRegions && new Set(knownRegions),
      });
      return undefined;
    } catch (error) {
      if (isRegistryError(error, "parameter_invalid")) return error.detail.reason;
      throw error;
    }
  };

  test("a registry is no destination of itself; the same region of another account is one", () => {
    expect(reasonOf({ rules: [{ destinations: [to("us-east-1")] }] })).toBe(
      "Replication destination cannot be the same as the source registry",
    );
    expect(reasonOf({ rules: [{ destinations: [to("us-east-1", "444455556666")] }] })).toBe(
      undefined,
    );
  });

  test("destinations are counted once, over all rules", () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => to(`region-${i}`));
    const twice = (count: number) => ({
      rules: [{ destinations: many(count) }, { destinations: many(count) }],
    });
    expect(reasonOf(twice(25))).toBe(undefined);
    expect(reasonOf(twice(26))).toBe(
      "Replication configuration must have at most 25 unique destinations",
    );
  });

  test("a region that cannot be reached is refused, when that is known", () => {
    const configuration = { rules: [{ destinations: [to("mars-north-1")] }] };
    expect(reasonOf(configuration)).toBe(undefined);
    expect(reasonOf(configuration, ["mars-north-1"])).toBe(undefined);
    expect(reasonOf(configuration, ["us-east-1", "eu-west-1"])).toBe(
      "Replication destination region 'mars-north-1' is not known here",
    );
  });
});

describe("storage", () => {
  let endpoint: AwsEndpoint;
  const actor = "arn:aws:iam::111122223333:root";
  const configuration: ReplicationConfiguration = {
    rules: [{ destinations: [to("eu-west-1")], repositoryFilters: [filter("prod-")] }],
  };

  beforeAll(async () => {
    endpoint = await startAwsEndpoint();
  });
  afterAll(() => endpoint[Symbol.asyncDispose]());

  test("what is put is got, per account, with its change in the journal", async () => {
    const { registry } = endpoint;
    const { read } = registry.metadata;
    expect(await getReplicationConfiguration(read, account)).toEqual({ rules: [] });
    await putReplicationConfiguration(registry, { account, configuration, actor });
    expect(await getReplicationConfiguration(read, account)).toEqual(configuration);
    expect(await getReplicationConfiguration(read, "444455556666")).toEqual({ rules: [] });
    const changes = await selectChanges(read, 0, 10);
    const change = changes.find(({ kind }) => kind === "replication_configuration_set");
    expect(change).toMatchObject({
      kind: "replication_configuration_set",
      account,
      repository: "",
      origin: "us-east-1",
      actor,
      detail: JSON.stringify({ configuration }),
    });
  });

  test("the change and the configuration commit together or not at all", async () => {
    const failing: ChangeObserver = () => Promise.reject(new Error("observer failed"));
    const registry = { ...endpoint.registry, observers: [failing] };
    const before = await getReplicationConfiguration(registry.metadata.read, account);
    await expect(
      putReplicationConfiguration(registry, { account, configuration: { rules: [] }, actor }),
    ).rejects.toThrow("observer failed");
    expect(await getReplicationConfiguration(registry.metadata.read, account)).toEqual(before);
  });

  test("what is refused is not stored", async () => {
    const { registry } = endpoint;
    const refused = putReplicationConfiguration(registry, {
      account,
      configuration: { rules: [{ destinations: [to("us-east-1")] }] },
      actor,
    });
    await expect(refused).rejects.toThrow("parameter_invalid");
    expect(await getReplicationConfiguration(registry.metadata.read, account)).toEqual(
      configuration,
    );
  });
});
