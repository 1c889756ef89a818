/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeReplicationBackfillResults.html */
import type { DescribeReplicationBackfillResultsResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { findBackfill } from "../../../replication/backfills.ts";
import { epochSeconds, type Wire } from "../../operation.ts";
import { onRegistry, operation } from "../operation.ts";
import { readPageToken } from "../page-token.ts";
import { backfillId, maxResults, nextToken, optional, registryId } from "../shapes.ts";

const resultsPageLimit = 100;

export const DescribeReplicationBackfillResults = operation({
  input: v.object({
    registryId: optional(registryId),
    replicationBackfillId: backfillId,
    resultStatusFilter: optional(v.picklist(["COMPLETE", "FAILED"])),
    maxResults: maxResults(resultsPageLimit),
    nextToken,
  }),
  permission: onRegistry("DescribeReplicationBackfillResults"),
  async handle(call, input): Promise<Wire<DescribeReplicationBackfillResultsResponse>> {
    const { account } = call.principal;
    const id = input.replicationBackfillId;
    // There is one page, so no token is one of ours.
    readPageToken(["DescribeReplicationBackfillResults", account, id], input.nextToken);
    const backfill = await findBackfill(call.service.registry, account, id);
    return {
      registryId: account,
      replicationBackfillId: id,
      destination: { ...backfill.destination },
      status: backfill.status,
      results: [],
      startedAt: epochSeconds(backfill.startedAt),
      ...(backfill.endedAt !== undefined && { endedAt: epochSeconds(backfill.endedAt) }),
    };
  },
});
