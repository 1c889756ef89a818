/** Defines an operation of STS, with what they have in common. */
import * as v from "valibot";
import type { ConditionKeys, Permission } from "../../access/access.ts";
import { parseIdentityArn } from "../../access/identities/identity-arn.ts";
import { findIdentity, type IdentityContext } from "../../access/identities/identity-context.ts";
import type { Role } from "../../access/identities/identity-documents.ts";
import type {
  IssuedSession,
  SessionCredentials,
} from "../../access/identities/session-credentials.ts";
import type { WebIdentities } from "../../access/identities/web-identity.ts";
import {
  defineQueryOperation,
  list,
  optional,
  type QueryCall,
  type QueryOperation,
  type QueryOperationDefinition,
  text,
} from "../query-operation.ts";

/** What the operations work with. */
export interface StsContext {
  readonly identities: IdentityContext;
  readonly sessions: SessionCredentials;
  readonly webIdentities: WebIdentities;
}

export type StsCall = QueryCall<StsContext>;

export function operation<Schema extends v.GenericSchema>(
  definition: QueryOperationDefinition<StsContext, Schema>,
): QueryOperation<StsContext> {
  return defineQueryOperation(definition);
}

export const sessionName = text(2, 64, /^[\w+=,.@-]*$/);

/** Members of every request for a session of a role. */
export const roleSession = {
  RoleArn: text(20, 2048),
  RoleSessionName: sessionName,
  Policy: optional(text(1, 131_072)),
  PolicyArns: list(v.object({ arn: text(20, 2048) }), 10),
};

export interface RoleToAssume {
  readonly account: string;
  readonly role: Role;
}

/** Undefined when there is none under exactly this ARN. */
export async function findRole(
  { registry }: IdentityContext,
  arn: string,
): Promise<RoleToAssume | undefined> {
  const parsed = parseIdentityArn(arn);
  if (parsed?.type !== "role") return undefined;
  const { account, name, path } = parsed;
  const role = await findIdentity(registry.metadata.read, "role", account, name);
  return role?.path === path && role.name === name ? { account, role } : undefined;
}

/** Trusts nobody: a role that does not exist must look like one that may not be assumed. */
const trustsNobody = JSON.stringify({
  Version: "2012-10-17",
  Statement: { Effect: "Allow", Principal: { AWS: "000000000000" }, Action: "sts:AssumeRole" },
});

export function trustPermission(
  action: string,
  roleArn: string,
  found: RoleToAssume | undefined,
  conditions: ConditionKeys,
): Permission {
  return {
    action,
    resource: roleArn,
    account: found?.account ?? parseIdentityArn(roleArn)?.account ?? "000000000000",
    trustPolicy: found?.role.trustPolicy ?? trustsNobody,
    conditions,
  };
}

export function credentialsShape(issued: IssuedSession) {
  return {
    AccessKeyId: issued.accessKeyId,
    SecretAccessKey: issued.secretAccessKey,
    SessionToken: issued.sessionToken,
    Expiration: new Date(issued.expiresAt),
  };
}
