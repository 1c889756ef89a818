/** How often managed policies are attached, or are somebody's boundary. */
import type { Queryable } from "../../metadata/metadata-store.ts";
import { listIdentities } from "./identity-context.ts";

export interface PolicyUses {
  readonly attachments: number;
  readonly boundaries: number;
}

const none: PolicyUses = { attachments: 0, boundaries: 0 };

/** @returns the uses of a policy by its ARN */
export async function policyUses(
  db: Queryable,
  account: string,
): Promise<(policyArn: string) => PolicyUses> {
  const uses = new Map<string, PolicyUses>();
  const users = await listIdentities(db, "user", account);
  const roles = await listIdentities(db, "role", account);
  const groups = await listIdentities(db, "group", account);
  for (const { attachedPolicies } of [...users, ...roles, ...groups]) {
    for (const arn of attachedPolicies) {
      const present = uses.get(arn) ?? none;
      uses.set(arn, { ...present, attachments: present.attachments + 1 });
    }
  }
  for (const { boundary } of [...users, ...roles]) {
    if (boundary === undefined) continue;
    const present = uses.get(boundary) ?? none;
    uses.set(boundary, { ...present, boundaries: present.boundaries + 1 });
  }
  return (arn) => uses.get(arn) ?? none;
}
