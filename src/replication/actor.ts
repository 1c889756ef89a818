/** Under which name replication acts in the journal: ECR's service-linked role, one session a source. */

const session = (account: string) =>
  `arn:aws:sts::${account}:assumed-role/AWSServiceRoleForECRReplication/`;

/** @param source the region from which the image came */
export function replicationActor(account: string, source: string): string {
  return `${session(account)}${source}`;
}

export function isReplicationActor(account: string, actor: string): boolean {
  return actor.startsWith(session(account));
}
