/** Backfills as Amazon ECR answers them. */
import type { ReplicationBackfillProgress, ReplicationBackfillSummary } from "@aws-sdk/client-ecr";
import type { Backfill, BackfillProgress } from "../../replication/backfills.ts";
import { epochSeconds, type Wire } from "../operation.ts";

/** What all four operations tell of a backfill. */
export function backfillShape(backfill: Backfill): Wire<ReplicationBackfillSummary> {
  const { id, destination, status, failureCode, progress, startedAt, endedAt } = backfill;
  return {
    replicationBackfillId: id,
    destination: { ...destination },
    status,
    ...(failureCode !== undefined && { failureCode }),
    ...(progress !== undefined && { progress: progressShape(progress) }),
    startedAt: epochSeconds(startedAt),
    ...(endedAt !== undefined && { endedAt: epochSeconds(endedAt) }),
  };
}

function progressShape(progress: BackfillProgress): ReplicationBackfillProgress {
  const { total, completed, failed, failureCodes } = progress;
  return {
    totalReplicationCount: total,
    completedReplicationCount: completed,
    failedReplicationCount: failed,
    failureCodes: [...failureCodes],
  };
}
