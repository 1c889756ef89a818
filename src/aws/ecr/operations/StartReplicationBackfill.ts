/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_StartReplicationBackfill.html */
import type { StartReplicationBackfillResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { startBackfill } from "../../../replication/backfills.ts";
import { epochSeconds, type Wire } from "../../operation.ts";
import { onRegistry, operation } from "../operation.ts";
import { optional, registryId, replicationDestination } from "../shapes.ts";

export const StartReplicationBackfill = operation({
  input: v.object({ registryId: optional(registryId), destination: replicationDestination }),
  permission: onRegistry("StartReplicationBackfill"),
  async handle(call, { destination }): Promise<Wire<StartReplicationBackfillResponse>> {
    const { account, arn } = call.principal;
    const { id, backfill } = await startBackfill(call.service.registry, {
      account,
      destination,
      actor: arn,
    });
    return {
      replicationBackfillId: id,
      registryId: account,
      destination,
      status: backfill.status,
      startedAt: epochSeconds(backfill.startedAt),
    };
  },
});
