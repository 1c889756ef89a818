/** Under which name replication acts in the journal: ECR's service-linked role, one session a source. */
import { replicationPrincipal } from "../access/replication-consent.ts";

/** @param source the region from which the image came */
export function replicationActor(account: string, source: string): string {
  return replicationPrincipal(account, source).arn;
}

export function isReplicationActor(account: string, actor: string): boolean {
  return actor.startsWith(replicationPrincipal(account, "").arn);
}
