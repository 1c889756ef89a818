/** Rates, as the real SDK meets them. */
import { expect, test } from "bun:test";
import { DescribeRegistryCommand, ListTagsForResourceCommand } from "@aws-sdk/client-ecr";
import { startAwsEndpoint } from "../../tests/support/aws-endpoint.ts";
import { ecrClient, refusal } from "../../tests/support/ecr-client.ts";
import { manualClock } from "../../tests/support/manual-clock.ts";
import { tokenBuckets } from "../runtime/token-buckets.ts";
import { throttle } from "./throttle.ts";

const principal = "arn:aws:iam::111122223333:user/jo";

test("each operation of each principal has its own rate", () => {
  const check = throttle({ requestsPerSecond: 1, ecrRates: false }, tokenBuckets()).check;
  const isHeldBack = (arn: string, operation: string, now: number) => {
    try {
      check(arn, "ecr", operation, now);
      return false;
    } catch {
      return true;
    }
  };
  expect([0, 0, 0].map((now) => isHeldBack(principal, "PutImage", now))).toEqual([
    false,
    false,
    true,
  ]);
  expect(isHeldBack(principal, "DescribeImages", 0)).toBe(false);
  expect(isHeldBack("arn:aws:iam::111122223333:user/al", "PutImage", 0)).toBe(false);
  expect(isHeldBack(principal, "PutImage", 1000)).toBe(false);
});

test("Amazon ECR's rates hold where it states them", () => {
  const { check } = throttle({ requestsPerSecond: 0, ecrRates: true }, tokenBuckets());
  const allowed = (operation: string) => {
    for (let count = 0; count < 10_000; count++) {
      try {
        check(principal, "ecr", operation, 0);
      } catch {
        return count;
      }
    }
    return Number.POSITIVE_INFINITY;
  };
  expect(allowed("PutImage")).toBe(20);
  expect(allowed("GetAuthorizationToken")).toBe(1000);
  expect(allowed("DescribeRegistry")).toBe(Number.POSITIVE_INFINITY);
});

test("the SDK is told ThrottlingException, and waits it out by itself", async () => {
  const clock = manualClock(Date.now());
  await using endpoint = await startAwsEndpoint({
    clock,
    throttling: { requestsPerSecond: 1, ecrRates: false },
  });
  const impatient = ecrClient(endpoint);
  const describe = new DescribeRegistryCommand();
  expect((await refusal(impatient.send(describe))).name).toBe("accepted");
  expect((await refusal(impatient.send(describe))).name).toBe("accepted");
  expect(await refusal(impatient.send(describe))).toEqual({
    name: "ThrottlingException",
    message: "Rate exceeded",
  });
  const other = new ListTagsForResourceCommand({
    resourceArn: `arn:aws:ecr:${endpoint.region}:${endpoint.account}:repository/none`,
  });
  expect((await refusal(impatient.send(other))).name).toBe("RepositoryNotFoundException");
  const patient = ecrClient(endpoint, { maxAttempts: 5 });
  const waiting = patient.send(describe);
  clock.advance(1000);
  expect((await waiting).registryId).toBe(endpoint.account);
});
