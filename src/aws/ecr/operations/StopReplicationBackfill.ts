/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_StopReplicationBackfill.html */
import type { StopReplicationBackfillResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { stopBackfill } from "../../../replication/backfills.ts";
import { AwsError } from "../../errors.ts";
import type { Wire } from "../../operation.ts";
import { backfillShape } from "../backfill-shape.ts";
import { accountOf, onRegistry, operation } from "../operation.ts";
import { backfillId, optional, registryId } from "../shapes.ts";

export const StopReplicationBackfill = operation({
  input: v.object({ registryId: optional(registryId), replicationBackfillId: backfillId }),
  permission: onRegistry("StopReplicationBackfill"),
  async handle(call, input): Promise<Wire<StopReplicationBackfillResponse>> {
    const account = accountOf(call, input);
    const id = input.replicationBackfillId;
    const stopped = await stopBackfill(call.service.registry, { account, id });
    if (stopped === undefined) {
      throw new AwsError(
        "ReplicationBackfillInvalidStatusException",
        `The replication backfill '${id}' is not preparing or in progress and can not be stopped`,
      );
    }
    return { registryId: account, ...backfillShape(stopped) };
  },
});
