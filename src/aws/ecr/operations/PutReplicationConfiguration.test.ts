/** The real SDK configures replication and reads it back with DescribeRegistry. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import * as sdk from "@aws-sdk/client-ecr";
import { type AwsEndpoint, startAwsEndpoint } from "../../../../tests/support/aws-endpoint.ts";
import { ecrClient, refusal } from "../../../../tests/support/ecr-client.ts";

let endpoint: AwsEndpoint;
let ecr: sdk.ECRClient;

beforeAll(async () => {
  endpoint = await startAwsEndpoint({
    knownRegions: new Set(["us-east-1", "eu-west-1", "sa-east-1"]),
  });
  ecr = ecrClient(endpoint);
});
afterAll(() => endpoint[Symbol.asyncDispose]());

const configuration: sdk.ReplicationConfiguration = {
  rules: [
    {
      destinations: [
        { region: "eu-west-1", registryId: "111122223333" },
        { region: "sa-east-1", registryId: "111122223333" },
      ],
      repositoryFilters: [{ filter: "prod-", filterType: "PREFIX_MATCH" }],
    },
    { destinations: [{ region: "us-east-1", registryId: "444455556666" }] },
  ],
};
const put = (replicationConfiguration: sdk.ReplicationConfiguration) =>
  ecr.send(new sdk.PutReplicationConfigurationCommand({ replicationConfiguration }));

test("what is put is read back; it replaces all that was there", async () => {
  const empty = await ecr.send(new sdk.DescribeRegistryCommand());
  expect(empty).toMatchObject({
    registryId: "111122223333",
    replicationConfiguration: { rules: [] },
  });
  expect((await put(configuration)).replicationConfiguration).toEqual(configuration);
  const read = await ecr.send(new sdk.DescribeRegistryCommand());
  expect(read.replicationConfiguration).toEqual(configuration);
  await put({ rules: [] });
  const cleared = await ecr.send(new sdk.DescribeRegistryCommand());
  expect(cleared.replicationConfiguration).toEqual({ rules: [] });
});

test("what ECR refuses is refused in its words", async () => {
  const invalid = (at: string, constraint: string) => ({
    name: "InvalidParameterException",
    message: `Invalid parameter at '${at}' failed to satisfy constraint: '${constraint}'`,
  });
  const destination = { region: "eu-west-1", registryId: "111122223333" };
  expect(
    await refusal(
      put({
        rules: [{ destinations: [{ region: "us-east-1", registryId: "111122223333" }] }],
      }),
    ),
  ).toEqual(
    invalid(
      "replicationConfiguration",
      "Replication destination cannot be the same as the source registry",
    ),
  );
  expect(await refusal(put({ rules: Array(11).fill({ destinations: [destination] }) }))).toEqual(
    invalid("replicationConfiguration.rules", "Member must have length less than or equal to 10"),
  );
  expect(
    await refusal(put({ rules: [{ destinations: [{ ...destination, region: "mars-north-1" }] }] })),
  ).toEqual(
    invalid(
      "replicationConfiguration",
      "Replication destination region 'mars-north-1' is not known here",
    ),
  );
  expect(
    await refusal(
      put({
        rules: [
          {
            destinations: [destination],
            repositoryFilters: [{ filter: "Prod", filterType: "PREFIX_MATCH" }],
          },
        ],
      }),
    ),
  ).toMatchObject({
    name: "InvalidParameterException",
    message: expect.stringContaining(
      "'replicationConfiguration.rules.1.member.repositoryFilters.1.member.filter'",
    ),
  });
  expect(await refusal(put({} as sdk.ReplicationConfiguration))).toEqual(
    invalid("replicationConfiguration.rules", "Member must not be null"),
  );
});

test("filter types of our own are taken only where they are switched on", async () => {
  const extended = (filterType: string) => ({
    rules: [
      {
        destinations: [{ region: "eu-west-1", registryId: "111122223333" }],
        repositoryFilters: [
          { filter: "v1", filterType: filterType as sdk.RepositoryFilterType },
          { filter: "prod-", filterType: "PREFIX_MATCH" as const },
        ],
      },
    ],
  });
  expect(await refusal(put(extended("PORTOLAN_TAG")))).toMatchObject({
    message: expect.stringContaining("enum value set: [PREFIX_MATCH]"),
  });
  await using open = await startAwsEndpoint({ ownFilterTypes: true });
  const client = ecrClient(open);
  const putThere = (type: string) =>
    client.send(
      new sdk.PutReplicationConfigurationCommand({ replicationConfiguration: extended(type) }),
    );
  expect((await putThere("PORTOLAN_TAG")).replicationConfiguration).toEqual(
    extended("PORTOLAN_TAG"),
  );
  const read = await client.send(new sdk.DescribeRegistryCommand());
  expect(read.replicationConfiguration).toEqual(extended("PORTOLAN_TAG"));
  expect(await refusal(putThere("PORTOLAN_NOTHING"))).toMatchObject({
    name: "InvalidParameterException",
    message: expect.stringContaining("PORTOLAN_WILDCARD"),
  });
});

test("the limits are the operator's", async () => {
  const replicationLimits = {
    rules: 11,
    destinationsPerRule: 2,
    uniqueDestinations: 26,
    filtersPerRule: 1,
  };
  await using open = await startAwsEndpoint({ replicationLimits });
  const putThere = (rules: sdk.ReplicationRule[]) =>
    ecrClient(open).send(
      new sdk.PutReplicationConfigurationCommand({ replicationConfiguration: { rules } }),
    );
  const to = (n: number) => ({ region: `region-${n}`, registryId: "111122223333" });
  const rules = Array.from({ length: 11 }, (_, n) => ({ destinations: [to(n)] }));
  expect((await putThere(rules)).replicationConfiguration?.rules).toHaveLength(11);
  const wide = Array.from({ length: 13 }, (_, n) => ({ destinations: [to(2 * n), to(2 * n + 1)] }));
  for (const refused of [
    [...rules, ...rules],
    wide,
    [{ destinations: [to(1), to(2), to(3)] }],
    [
      {
        destinations: [to(1)],
        repositoryFilters: ["aa", "bb"].map((filter) => ({
          filter,
          filterType: "PREFIX_MATCH" as const,
        })),
      },
    ],
  ]) {
    expect((await refusal(putThere(refused))).name).toBe("InvalidParameterException");
  }
});
