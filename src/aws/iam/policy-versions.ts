/** The versions of managed policies, for answers. */
import { managedPolicies } from "../../access/managed-policies.ts";
import { text } from "../query-operation.ts";
import type { IamCall } from "./operation.ts";
import { requireOwnPolicy } from "./policy-arn.ts";

export const policyVersion = text(1, 32, /^v[1-9][0-9]*(\.[A-Za-z0-9-]*)?$/);

/** Oldest first. Of AWS's policies only the default version is known. */
export async function versionsOf(call: IamCall, policyArn: string) {
  const managed = managedPolicies.get(policyArn);
  if (managed !== undefined) {
    const CreateDate = new Date(managed.updatedAt);
    const shape = { VersionId: managed.versionId, IsDefaultVersion: true, CreateDate };
    return [{ document: managed.document, shape }];
  }
  const policy = await requireOwnPolicy(call, policyArn);
  return policy.versions.map(({ id, document, createdAt }) => ({
    document,
    shape: {
      VersionId: id,
      IsDefaultVersion: id === policy.defaultVersion,
      CreateDate: new Date(createdAt),
    },
  }));
}
