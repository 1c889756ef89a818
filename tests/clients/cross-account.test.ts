/**
 * Two processes, two accounts: rules and policies by the AWS CLI, backfills by AWS's SDK, since
 * Debian's CLI is older than they are.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import * as sdk from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { runCommand } from "../support/command.ts";
import {
  haveAws,
  type RegionProcesses,
  startRegionProcesses,
} from "../support/region-processes.ts";
import { connectRegistry } from "../support/registry-connection.ts";
import { requirement } from "../support/require.ts";
import { type Credentials, portolanCommand } from "../support/server-process.ts";
import { pushSyntheticImage, syntheticImage } from "../support/synthetic-image.ts";
import { waitUntil } from "../support/wait-until.ts";

// Every call of the CLI starts a Python of its own.
setDefaultTimeout(180_000);

const available = requirement("clients", haveAws, "aws (apt-get install awscli)");
const [here, there] = ["us-east-1", "eu-west-1"] as const;
const other = "444455556666";

const createdSchema = v.object({ accessKeyId: v.string(), secretAccessKey: v.string() });
const statusSchema = v.object({
  replicationStatuses: v.array(
    v.object({
      region: v.string(),
      registryId: v.string(),
      status: v.string(),
      failureCode: v.optional(v.string()),
    }),
  ),
});

describe.skipIf(!available)("two accounts", () => {
  let regions: RegionProcesses;
  let credentials: Credentials;

  beforeAll(async () => {
    regions = await startRegionProcesses(here, there);
    // Beside the running server.
    const made = await runCommand([
      ...[...portolanCommand(), "account", "create", other, "--json"],
      ...["--config", regions.configuration(there)],
    ]);
    credentials = v.parse(createdSchema, JSON.parse(made));
    await regions.aws(
      ...([here, "put-replication-configuration", "--replication-configuration"] as const),
      JSON.stringify({
        rules: [
          {
            destinations: [{ region: there, registryId: other }],
            repositoryFilters: [{ filter: "prod-", filterType: "PREFIX_MATCH" }],
          },
        ],
      }),
    );
  }, 180_000);
  afterAll(() => regions?.[Symbol.asyncDispose]());

  const push = async (repository: string, tag: string) => {
    const { endpoint, authorization } = regions.region(here);
    const image = syntheticImage(repository, (build) => {
      build.image([build.blob(`layer of ${repository}:${tag}`)], {}, { tags: [tag] });
    });
    await pushSyntheticImage(connectRegistry(endpoint, authorization), repository, image);
  };
  const statusOf = async (repository: string, tag: string) => {
    const answer = await regions.aws(
      ...([here, "describe-image-replication-status", "--repository-name", repository] as const),
      ...["--image-id", `imageTag=${tag}`],
    );
    return v.parse(statusSchema, answer).replicationStatuses;
  };
  const becomes = (repository: string, tag: string, status: string, failureCode?: string) =>
    waitUntil(
      `${repository}:${tag} to be ${status}`,
      async () => {
        const [found] = await statusOf(repository, tag);
        return found?.status === status && found.failureCode === failureCode;
      },
      { deadlineMilliseconds: 120_000, intervalMilliseconds: 100 },
    );

  test("the destination's policy refuses, then allows, and the image comes by itself", async () => {
    await push("prod-web", "1");
    await becomes("prod-web", "1", "FAILED", "destination_forbidden");
    const policy = {
      Version: "2012-10-17",
      Statement: {
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${regions.account}:root` },
        Action: ["ecr:ReplicateImage", "ecr:CreateRepository"],
        Resource: `arn:aws:ecr:${there}:${other}:repository/*`,
      },
    };
    await regions.awsAs(
      credentials,
      ...([there, "put-registry-policy", "--policy-text", JSON.stringify(policy)] as const),
    );
    await becomes("prod-web", "1", "COMPLETE");
    expect(
      await regions.awsAs(credentials, there, "describe-images", "--repository-name", "prod-web"),
    ).toMatchObject({ imageDetails: [{ registryId: other, imageTags: ["1"] }] });
    expect(await statusOf("prod-web", "1")).toMatchObject([{ region: there, registryId: other }]);
    const audit = await runCommand([
      ...[...portolanCommand(), "audit", "--denied", "--config", regions.configuration(there)],
    ]);
    expect(audit).toContain("ecr:ReplicateImage");
  });

  test("a backfill brings what was there before the rule, and its results are paged", async () => {
    const ecr = new sdk.ECRClient({
      endpoint: regions.region(here).endpoint,
      region: here,
      credentials: regions.credentials,
    });
    for (const tag of ["1", "2", "3"]) await push("older", tag);
    await push("prod-web", "2");
    const destination = { region: there, registryId: other };
    await ecr.send(
      new sdk.PutReplicationConfigurationCommand({
        replicationConfiguration: { rules: [{ destinations: [destination] }] },
      }),
    );
    const { replicationBackfillId } = await ecr.send(
      new sdk.StartReplicationBackfillCommand({ destination }),
    );
    const ended = await waitUntil(
      "the backfill to end",
      async () => {
        const { backfills } = await ecr.send(new sdk.ListReplicationBackfillsCommand({}));
        const found = backfills?.find(
          (each) => each.replicationBackfillId === replicationBackfillId,
        );
        return found?.endedAt !== undefined && found;
      },
      { deadlineMilliseconds: 60_000, intervalMilliseconds: 50 },
    );
    expect(ended).toMatchObject({
      status: "COMPLETE",
      destination,
      progress: {
        totalReplicationCount: 5,
        completedReplicationCount: 5,
        failedReplicationCount: 0,
        failureCodes: [],
      },
    });
    const names: string[] = [];
    for (let nextToken: string | undefined; ; ) {
      const page = await ecr.send(
        new sdk.DescribeReplicationBackfillResultsCommand({
          ...{ replicationBackfillId, maxResults: 2, nextToken },
          resultStatusFilter: "COMPLETE",
        }),
      );
      for (const { repositoryName, imageId, status } of page.results ?? []) {
        names.push(`${repositoryName}:${imageId?.imageTag} ${status}`);
      }
      nextToken = page.nextToken;
      if (nextToken === undefined) break;
      expect(page.results).toHaveLength(2);
    }
    expect(names.sort()).toEqual([
      "older:1 COMPLETE",
      "older:2 COMPLETE",
      "older:3 COMPLETE",
      "prod-web:1 COMPLETE",
      "prod-web:2 COMPLETE",
    ]);
    const failed = await ecr.send(
      new sdk.DescribeReplicationBackfillResultsCommand({
        ...{ replicationBackfillId, resultStatusFilter: "FAILED" },
      }),
    );
    expect(failed.results).toEqual([]);
    expect(
      await regions.awsAs(credentials, there, "list-images", "--repository-name", "older"),
    ).toMatchObject({ imageIds: [{}, {}, {}] });
  });

  test("a backfill to a region that is down is stopped, and another may begin", async () => {
    const ecr = new sdk.ECRClient({
      endpoint: regions.region(here).endpoint,
      region: here,
      credentials: regions.credentials,
    });
    await regions.region(there).kill();
    const destination = { region: there, registryId: other };
    const start = new sdk.StartReplicationBackfillCommand({ destination });
    const { replicationBackfillId } = await ecr.send(start);
    const statusIs = (status: string) =>
      waitUntil(
        `the backfill to be ${status}`,
        async () => {
          const found = await ecr.send(
            new sdk.DescribeReplicationBackfillResultsCommand({ replicationBackfillId }),
          );
          return found.status === status;
        },
        { deadlineMilliseconds: 60_000, intervalMilliseconds: 50 },
      );
    await statusIs("IN_PROGRESS");
    // The source dies too, in the middle.
    await regions.region(here).kill();
    await regions.region(here).start();
    await statusIs("IN_PROGRESS");
    const stop = new sdk.StopReplicationBackfillCommand({ replicationBackfillId });
    expect(["STOPPING", "STOPPED"]).toContain((await ecr.send(stop)).status ?? "");
    await statusIs("STOPPED");
    expect((await ecr.send(start)).status).toBe("PREPARING");
  });
});
