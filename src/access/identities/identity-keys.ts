/** Finds users' access keys and the credentials of sessions, beside the root keys. */
import type { MetadataStore } from "../../metadata/metadata-store.ts";
import { findDocument } from "../../registry/documents.ts";
import type { AccessKey, AccessKeys } from "../credentials.ts";
import type { SecretCipher } from "../installation-key.ts";
import { boundTo } from "./create-access-key.ts";
import { identityArn } from "./identity-arn.ts";
import { findIdentity } from "./identity-context.ts";
import { accessKeyKind } from "./identity-documents.ts";
import type { KeyUsage } from "./key-usage.ts";
import type { SessionCredentials } from "./session-credentials.ts";
import { accountOfAccessKeyId } from "./unique-id.ts";

export interface IdentityKeysOptions {
  readonly metadata: MetadataStore;
  readonly cipher: SecretCipher;
  readonly sessions: SessionCredentials;
  readonly usage: KeyUsage;
  /** The keys of the accounts' roots. */
  readonly rootKeys: AccessKeys;
}

export function identityKeys(options: IdentityKeysOptions): AccessKeys {
  const { metadata, cipher, sessions, usage, rootKeys } = options;

  async function findUserKey(id: string): Promise<AccessKey | undefined> {
    const account = accountOfAccessKeyId(id);
    if (account === undefined) return undefined;
    const key = (await findDocument(metadata.read, accessKeyKind, account, id))?.value;
    if (key === undefined || key.status !== "Active") return undefined;
    const user = await findIdentity(metadata.read, "user", account, key.userName);
    // Another user may have the name by now.
    if (user === undefined || user.id !== key.userId) return undefined;
    const arn = identityArn(account, "user", user);
    const encrypted = new Uint8Array(Buffer.from(key.secret, "base64"));
    return {
      id,
      secretAccessKey: cipher.decrypt(encrypted, boundTo(account, id, user.id)),
      principal: {
        kind: "user",
        arn,
        account,
        identityArn: arn,
        userId: user.id,
        userName: user.name,
        accessKeyId: id,
      },
    };
  }

  return {
    async find(id, sessionToken) {
      if (sessionToken !== undefined) return sessions.open(id, sessionToken);
      return (await rootKeys.find(id)) ?? findUserKey(id);
    },
    used({ id, principal, sessionToken }, service) {
      if (principal.kind !== "user" || sessionToken !== undefined) return;
      usage.record(principal.account, id, service);
    },
  };
}
