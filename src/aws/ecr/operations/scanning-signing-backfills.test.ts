/** The real SDK configures scanning and signing, and asks for backfills. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import * as sdk from "@aws-sdk/client-ecr";
import { type AwsEndpoint, startAwsEndpoint } from "../../../../tests/support/aws-endpoint.ts";
import { ecrClient, refusal } from "../../../../tests/support/ecr-client.ts";
import { pushImage } from "../../../../tests/support/push-image.ts";

let endpoint: AwsEndpoint;
let ecr: sdk.ECRClient;

beforeAll(async () => {
  endpoint = await startAwsEndpoint();
  ecr = ecrClient(endpoint);
});
afterAll(async () => {
  expect(endpoint.unforeseen).toEqual([]);
  await endpoint[Symbol.asyncDispose]();
});

test("the scanning configuration is kept and applied to names; a scan is honestly refused", async () => {
  const rules: sdk.RegistryScanningRule[] = [
    {
      scanFrequency: "SCAN_ON_PUSH",
      repositoryFilters: [{ filter: "prod-*", filterType: "WILDCARD" }],
    },
  ];
  const put = (input: sdk.PutRegistryScanningConfigurationRequest) =>
    ecr.send(new sdk.PutRegistryScanningConfigurationCommand(input));
  const get = new sdk.GetRegistryScanningConfigurationCommand({});
  expect((await ecr.send(get)).scanningConfiguration).toEqual({ scanType: "BASIC", rules: [] });
  await put({ scanType: "BASIC", rules });
  expect((await ecr.send(get)).scanningConfiguration).toEqual({ scanType: "BASIC", rules });
  const continuous = [{ scanFrequency: "CONTINUOUS_SCAN" as const, repositoryFilters: [] }];
  expect((await refusal(put({ scanType: "BASIC", rules: continuous }))).name).toBe(
    "InvalidParameterException",
  );
  for (const repository of ["prod-web", "test-web"]) {
    await pushImage(endpoint.registry, { repository, tags: ["1"], layers: [] });
  }
  const { scanningConfigurations, failures } = await ecr.send(
    new sdk.BatchGetRepositoryScanningConfigurationCommand({
      repositoryNames: ["prod-web", "test-web", "none"],
    }),
  );
  expect(scanningConfigurations?.map(({ scanFrequency }) => scanFrequency)).toEqual([
    "SCAN_ON_PUSH",
    "MANUAL",
  ]);
  expect(failures).toMatchObject([{ repositoryName: "none", failureCode: "REPOSITORY_NOT_FOUND" }]);
  const image = { repositoryName: "prod-web", imageId: { imageTag: "1" } };
  expect(await refusal(ecr.send(new sdk.StartImageScanCommand(image)))).toEqual({
    name: "ValidationException",
    message: "This registry has no image scanner configured",
  });
  expect((await refusal(ecr.send(new sdk.DescribeImageScanFindingsCommand(image)))).name).toBe(
    "ScanNotFoundException",
  );
  const none = { ...image, imageId: { imageTag: "none" } };
  expect((await refusal(ecr.send(new sdk.StartImageScanCommand(none)))).name).toBe(
    "ImageNotFoundException",
  );
});

test("the signing configuration is kept, and no image has a signing", async () => {
  const get = new sdk.GetSigningConfigurationCommand({});
  expect((await refusal(ecr.send(get))).name).toBe("SigningConfigurationNotFoundException");
  const signingConfiguration: sdk.SigningConfiguration = {
    rules: [
      {
        signingProfileArn: "arn:aws:signer:us-east-1:111122223333:/signing-profiles/team",
        repositoryFilters: [{ filter: "prod/*", filterType: "WILDCARD_MATCH" }],
      },
    ],
  };
  const put = (configuration: sdk.SigningConfiguration) =>
    ecr.send(new sdk.PutSigningConfigurationCommand({ signingConfiguration: configuration }));
  expect(await put(signingConfiguration)).toMatchObject({ signingConfiguration });
  expect((await ecr.send(get)).signingConfiguration).toEqual(signingConfiguration);
  expect((await refusal(put({ rules: [{ signingProfileArn: "x" }] }))).name).toBe(
    "InvalidParameterException",
  );
  await pushImage(endpoint.registry, { repository: "signed", tags: ["1"], layers: [] });
  const status = await ecr.send(
    new sdk.DescribeImageSigningStatusCommand({
      repositoryName: "signed",
      imageId: { imageTag: "1" },
    }),
  );
  expect(status.signingStatuses).toEqual([]);
  const remove = new sdk.DeleteSigningConfigurationCommand({});
  await ecr.send(remove);
  expect((await refusal(ecr.send(remove))).name).toBe("SigningConfigurationNotFoundException");
});

test("a backfill needs a configured destination, one at a time, and can be stopped once", async () => {
  const destination = { region: "eu-west-1", registryId: "111122223333" };
  const start = new sdk.StartReplicationBackfillCommand({ destination });
  expect((await refusal(ecr.send(start))).name).toBe("InvalidParameterException");
  await ecr.send(
    new sdk.PutReplicationConfigurationCommand({
      replicationConfiguration: { rules: [{ destinations: [destination] }] },
    }),
  );
  const started = await ecr.send(start);
  expect(started).toMatchObject({ registryId: "111122223333", destination, status: "PREPARING" });
  expect((await refusal(ecr.send(start))).name).toBe("ReplicationBackfillInProgressException");
  const { replicationBackfillId } = started;
  const list = await ecr.send(new sdk.ListReplicationBackfillsCommand({}));
  expect(list.backfills).toMatchObject([{ replicationBackfillId, status: "PREPARING" }]);
  const stop = new sdk.StopReplicationBackfillCommand({ replicationBackfillId });
  expect((await ecr.send(stop)).status).toBe("STOPPED");
  expect((await refusal(ecr.send(stop))).name).toBe("ReplicationBackfillInvalidStatusException");
  const results = await ecr.send(
    new sdk.DescribeReplicationBackfillResultsCommand({ replicationBackfillId }),
  );
  expect(results).toMatchObject({ status: "STOPPED", results: [] });
  // It had not found out yet how much there is.
  expect(results.progress).toBeUndefined();
  const unknown = "00000000-0000-4000-8000-000000000000";
  expect(
    (
      await refusal(
        ecr.send(new sdk.StopReplicationBackfillCommand({ replicationBackfillId: unknown })),
      )
    ).name,
  ).toBe("ReplicationBackfillNotFoundException");
  expect((await ecr.send(start)).status).toBe("PREPARING");
});
