/** Gives a user an access key. Its secret is shown this once. */
import { changeDocument, findDocument, listDocuments } from "../../registry/documents.ts";
import { changeIdentity, type IdentityContext, type IdentityTarget } from "./identity-context.ts";
import { accessKeyKind, documentName, type UserAccessKey } from "./identity-documents.ts";
import { IdentityError } from "./identity-error.ts";
import { accessKeyId, secretAccessKey } from "./unique-id.ts";

export interface CreatedAccessKey extends Omit<UserAccessKey, "secret"> {
  readonly id: string;
  readonly secretAccessKey: string;
}

export const accessKeysPerUserLimit = 2;

/** @throws IdentityError NoSuchEntity, LimitExceeded */
export async function createAccessKey(
  context: IdentityContext,
  target: IdentityTarget,
): Promise<CreatedAccessKey> {
  const { metadata, clock, random } = context.registry;
  const { account, actor } = target;
  return metadata.transaction(async (tx) => {
    // Holds the user: two requests at once must not both give it its second key.
    const user = await changeIdentity(context, tx, "user", target, (present) => present);
    const owner = documentName(user.name);
    const page = { owner, limit: accessKeysPerUserLimit };
    if ((await listDocuments(tx, accessKeyKind, account, page)).length >= accessKeysPerUserLimit) {
      throw new IdentityError(
        "LimitExceeded",
        `Cannot exceed quota for AccessKeysPerUser: ${accessKeysPerUserLimit}`,
      );
    }
    let id = accessKeyId(random, "AKIA", account);
    while ((await findDocument(tx, accessKeyKind, account, id)) !== undefined) {
      id = accessKeyId(random, "AKIA", account);
    }
    const secret = secretAccessKey(random);
    const shown = {
      userName: user.name,
      userId: user.id,
      status: "Active",
      createdAt: clock.now(),
    } as const;
    const encrypted = context.cipher.encrypt(secret, boundTo(account, id, user.id));
    await changeDocument(
      context.registry,
      tx,
      accessKeyKind,
      { account, name: id, owner, actor },
      () => ({ ...shown, secret: Buffer.from(encrypted).toString("base64") }),
    );
    return { ...shown, id, secretAccessKey: secret };
  });
}

/** A secret moved to another key or user does not decrypt there. */
export function boundTo(account: string, id: string, userId: string): string {
  return `access key ${id} of ${userId} in ${account}`;
}
