/** A table of decisions: worlds of policies, and what is decided in them. */
import { expect, test } from "bun:test";
import { type AccessRequest, type Principal, repositoryArn } from "../../src/access/access.ts";
import { rootPrincipal } from "../../src/access/credentials.ts";
import { userPrincipal } from "./access-request.ts";
import { type IdentityInWorld, type World, worldAccess } from "./policy-world.ts";

export const account = "111122223333";
export const partner = "444455556666";
export const root = rootPrincipal(account);
export const jo = userPrincipal(account, "jo");
export const kim = userPrincipal(partner, "kim");
export const deployer: Principal = {
  kind: "assumed-role",
  account,
  arn: `arn:aws:sts::${account}:assumed-role/deployer/run-1`,
  identityArn: `arn:aws:iam::${account}:role/ci/deployer`,
  userId: "AROAABCDEFGHIJKLMNOPQ:run-1",
  session: { issuedAt: 1_799_999_000_000, policies: [], tags: { stage: "prod" } },
};
export const web = repositoryArn("us-east-1", account, "prod-web");
export const other = repositoryArn("us-east-1", account, "team/web");
export const pull = "ecr:BatchGetImage";
export const push = "ecr:PutImage";

export const noIdentity = "because no identity-based policy";
export const noResource = "because no resource-based policy";

type Ask = [Principal, string, string, string, Partial<AccessRequest>?];

export function decides(title: string, world: Partial<World>, ...asks: Ask[]): void {
  test(title, async () => {
    const { decide } = worldAccess(world, { organization: "o-portolan" });
    for (const [principal, action, resource, expected, rest] of asks) {
      const shown = { principal: principal.arn, action, resource, rest };
      const decision = await decide(principal, action, resource, rest);
      expect({ ...shown, decision }).toEqual({ ...shown, decision: expected });
    }
  });
}

export const identities = (...list: IdentityInWorld[]): Partial<World> => ({ identities: list });
export const user = (...policies: object[]): IdentityInWorld => ({ principal: jo, policies });
