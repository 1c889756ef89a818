/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeReplicationBackfillResults.html */
import type { DescribeReplicationBackfillResultsResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { backfillResults, findBackfill } from "../../../replication/backfills.ts";
import type { Wire } from "../../operation.ts";
import { backfillShape } from "../backfill-shape.ts";
import { accountOf, onRegistry, operation } from "../operation.ts";
import { pageToken, readPageToken } from "../page-token.ts";
import { backfillId, maxResults, nextToken, optional, pageSize, registryId } from "../shapes.ts";

const states = { COMPLETE: "complete", FAILED: "failed" } as const;
const statuses = { complete: "COMPLETE", failed: "FAILED" } as const;

export const DescribeReplicationBackfillResults = operation({
  input: v.object({
    registryId: optional(registryId),
    replicationBackfillId: backfillId,
    resultStatusFilter: optional(v.picklist(["COMPLETE", "FAILED"])),
    maxResults: maxResults(),
    nextToken,
  }),
  permission: onRegistry("DescribeReplicationBackfillResults"),
  async handle(call, input): Promise<Wire<DescribeReplicationBackfillResultsResponse>> {
    const account = accountOf(call, input);
    const id = input.replicationBackfillId;
    const filter = input.resultStatusFilter;
    const binding = ["DescribeReplicationBackfillResults", account, id, filter];
    const [repository = "", digest = "", tag = ""] =
      readPageToken(binding, input.nextToken, 3) ?? [];
    const { registry } = call.service;
    const backfill = await findBackfill(registry, account, id);
    const limit = input.maxResults ?? pageSize;
    const found = await backfillResults(registry, backfill, {
      state: filter && states[filter],
      after: { repository, digest, tag },
      limit: limit + 1,
    });
    const results = found.slice(0, limit);
    const last = found.length > limit ? results.at(-1) : undefined;
    return {
      registryId: account,
      ...backfillShape(backfill),
      results: results.map((result) => ({
        repositoryName: result.repository,
        imageId: {
          imageDigest: result.digest,
          ...(result.tag !== "" && { imageTag: result.tag }),
        },
        status: statuses[result.state],
        ...(result.failure_code !== null && { failureCode: result.failure_code }),
      })),
      ...(last !== undefined && {
        nextToken: pageToken(binding, [last.repository, last.digest, last.tag]),
      }),
    };
  },
});
