/**
 * Whether a registry lets images of another one be replicated to it. The source's account acts by
 * its service-linked role, as in Amazon ECR: the destination's policies see that role, its account
 * and the service behind it, whichever of them they name.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-permissions-create-replication.html
 */
import type { Clock, Random } from "../runtime/clock.ts";
import {
  type Access,
  type Caller,
  type Decision,
  type Permission,
  type Principal,
  repositoryArn,
} from "./access.ts";
import type { IdentitySource } from "./policy-source.ts";

const service = "replication.ecr.amazonaws.com";
const roleName = "AWSServiceRoleForECRReplication";
const roleId = "AROAECRREPLICATION000";

const rolePattern = new RegExp(
  `^arn:aws:iam::\\d{12}:role/aws-service-role/${service.replaceAll(".", "\\.")}/${roleName}$`,
);

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/slr-replication.html */
const rolePolicy = {
  name: `arn:aws:iam::aws:policy/aws-service-role/ECRReplicationServiceRolePolicy`,
  document: JSON.stringify({
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Action: ["ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"],
      Resource: "*",
    },
  }),
};

/** The identities of a source, and the service-linked role that every account has. */
export function withReplicationRole(source: IdentitySource): IdentitySource {
  return {
    identityPolicies: async (arn) =>
      rolePattern.test(arn)
        ? { id: roleId, policies: [rolePolicy], tags: {} }
        : source.identityPolicies(arn),
  };
}

/** @param session for the journal and the audit: the region that the images come from */
export function replicationPrincipal(account: string, session: string): Principal {
  return {
    kind: "assumed-role",
    arn: `arn:aws:sts::${account}:assumed-role/${roleName}/${session}`,
    account,
    identityArn: `arn:aws:iam::${account}:role/aws-service-role/${service}/${roleName}`,
    userId: `${roleId}:${session}`,
    service,
  };
}

export type ReplicationAction = "ReplicateImage" | "CreateRepository" | "TagResource";

export interface ReplicationRequest {
  readonly source: { readonly region: string; readonly account: string };
  readonly account: string;
  readonly repository: string;
}

/** Decides by the destination's policies; a refusal is recorded in the destination's audit. */
export type ReplicationConsent = (
  request: ReplicationRequest,
  action: ReplicationAction,
) => Promise<Decision>;

export interface ReplicationConsentOptions {
  readonly access: Pick<Access, "decide" | "authorize">;
  /** The destination's region. */
  readonly region: string;
  readonly clock: Pick<Clock, "now">;
  readonly random: Pick<Random, "uuid">;
}

export function replicationConsent(options: ReplicationConsentOptions): ReplicationConsent {
  const { access, region, clock, random } = options;
  return async ({ source, account, repository }, action) => {
    const caller: Caller = {
      principal: replicationPrincipal(source.account, source.region),
      // A service calls, from nowhere in particular: as AWS's trail tells of its own.
      request: {
        requestId: random.uuid(),
        time: clock.now(),
        sourceAddress: service,
        secure: true,
        userAgent: service,
        referer: null,
      },
    };
    const permission: Permission = {
      action: `ecr:${action}`,
      resource: repositoryArn(region, account, repository),
      conditions: {
        "aws:SourceAccount": source.account,
        "aws:SourceArn": repositoryArn(source.region, source.account, repository),
      },
    };
    const decision = await access.decide({ ...caller, ...permission });
    // Only refusals: what was allowed is in the journal as the push that it became.
    return decision.allowed ? decision : access.authorize(caller, [permission]);
  };
}
