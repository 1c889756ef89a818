/** The real policies of a region in memory, as what other regions and accounts meet. */
import { accountExists } from "../../src/access/account-existence.ts";
import type { Audit } from "../../src/access/audit.ts";
import { rootPrincipal } from "../../src/access/credentials.ts";
import { type PolicyAccess, policyAccess } from "../../src/access/policy-access.ts";
import { documentResourceSource } from "../../src/access/policy-documents.ts";
import { noIdentities } from "../../src/access/policy-source.ts";
import {
  type ReplicationConsent,
  replicationConsent,
  withReplicationRole,
} from "../../src/access/replication-consent.ts";
import { rootKeyKind } from "../../src/access/root-keys.ts";
import type { RegistryContext } from "../../src/registry/context.ts";
import { changeDocument } from "../../src/registry/documents.ts";
import { registryPolicyKind, registryPolicyName } from "../../src/registry/policy-kinds.ts";

export interface RegionAccess {
  readonly access: PolicyAccess;
  readonly consent: ReplicationConsent;
  /** What the audit was told, oldest first: the JSON members of `audit-block.ts`. */
  readonly audited: string[];
  knowsAccount(account: string): Promise<boolean>;
  /** As `portolan account create` does. */
  addAccount(account: string): Promise<void>;
  /** Undefined takes the policy away. */
  setRegistryPolicy(account: string, policy: object | undefined): Promise<void>;
}

export function regionAccess(context: RegistryContext): RegionAccess {
  const { metadata, clock, random, region } = context;
  const audited: string[] = [];
  const audit: Audit = {
    record: (_request, subjects) => void audited.push(...subjects.map(({ text }) => text)),
  };
  const access = policyAccess({
    authenticateBasic: Object.assign(async () => ({ failure: "missing" }) as const, {
      forgetAll: () => {},
    }),
    source: { ...documentResourceSource(metadata), ...withReplicationRole(noIdentities) },
    audit,
    journal: metadata.read,
    clock,
    region,
  });
  return {
    access,
    audited,
    consent: replicationConsent({ access, region, clock, random }),
    knowsAccount: (account) => accountExists(metadata.read, account),
    async addAccount(account) {
      const target = { account, name: `AKIA${account}`, actor: rootPrincipal(account).arn };
      await metadata.transaction((tx) =>
        changeDocument(context, tx, rootKeyKind, { ...target, fromConfiguration: true }, () => ({
          secret: "AA==",
          source: "generated",
          status: "active",
          createdAt: 0,
        })),
      );
    },
    async setRegistryPolicy(account, policy) {
      const target = { account, name: registryPolicyName, actor: rootPrincipal(account).arn };
      const value = policy && { policyText: JSON.stringify(policy) };
      await metadata.transaction((tx) =>
        changeDocument(context, tx, registryPolicyKind, target, () => value),
      );
    },
  };
}
