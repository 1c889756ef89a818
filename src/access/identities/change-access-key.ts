/** Lists a user's access keys, switches them on and off, deletes them. */
import { changeDocument, listDocuments } from "../../registry/documents.ts";
import { type IdentityContext, type IdentityTarget, requireIdentity } from "./identity-context.ts";
import { accessKeyKind, documentName, type UserAccessKey } from "./identity-documents.ts";
import { IdentityError } from "./identity-error.ts";

export interface ListedAccessKey {
  readonly id: string;
  readonly status: UserAccessKey["status"];
  readonly createdAt: number;
}

/** @throws IdentityError NoSuchEntity */
export async function listAccessKeys(
  { registry }: IdentityContext,
  account: string,
  userName: string,
): Promise<ListedAccessKey[]> {
  const { read } = registry.metadata;
  await requireIdentity(read, "user", account, userName);
  const page = { owner: documentName(userName), limit: 100 };
  const keys = await listDocuments(read, accessKeyKind, account, page);
  return keys.map(({ name, value }) => ({
    id: name,
    status: value.status,
    createdAt: value.createdAt,
  }));
}

/**
 * @param status undefined deletes the key
 * @throws IdentityError NoSuchEntity
 */
export async function changeAccessKey(
  { registry }: IdentityContext,
  user: IdentityTarget,
  id: string,
  status: UserAccessKey["status"] | undefined,
): Promise<void> {
  const { account, actor } = user;
  await registry.metadata.transaction(async (tx) => {
    await requireIdentity(tx, "user", account, user.name);
    await changeDocument(registry, tx, accessKeyKind, { account, name: id, actor }, (present) => {
      if (present === undefined || documentName(present.userName) !== documentName(user.name)) {
        throw new IdentityError("NoSuchEntity", `The Access Key with id ${id} cannot be found.`);
      }
      return status === undefined ? undefined : { ...present, status };
    });
  });
}
