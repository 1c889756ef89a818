/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_StartReplicationBackfill.html */
import type { StartReplicationBackfillResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { startBackfill } from "../../../replication/backfills.ts";
import { epochSeconds, type Wire } from "../../operation.ts";
import { accountOf, onRegistry, operation } from "../operation.ts";
import { optional, registryId, replicationDestination } from "../shapes.ts";

export const StartReplicationBackfill = operation({
  input: v.object({ registryId: optional(registryId), destination: replicationDestination }),
  permission: onRegistry("StartReplicationBackfill"),
  async handle(call, input): Promise<Wire<StartReplicationBackfillResponse>> {
    const account = accountOf(call, input);
    const { destination } = input;
    const backfill = await startBackfill(call.service.registry, { account, destination });
    return {
      replicationBackfillId: backfill.id,
      registryId: account,
      destination,
      status: backfill.status,
      startedAt: epochSeconds(backfill.startedAt),
    };
  },
});
