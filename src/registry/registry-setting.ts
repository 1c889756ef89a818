/** Settings of a registry of which there is one, or one for each name: read, replaced, deleted. */
import type { RegistryContext } from "./context.ts";
import type { Actor } from "./create-repository.ts";
import { changeDocument, type DocumentKind, findDocument } from "./documents.ts";
import { RegistryError, type SettingName } from "./errors.ts";

export interface SettingAddress {
  readonly account: string;
  readonly name: string;
}

export async function putSetting<Value>(
  context: RegistryContext,
  kind: DocumentKind<Value>,
  { account, name, actor }: SettingAddress & Actor,
  value: Value,
): Promise<void> {
  await context.metadata.transaction((tx) =>
    changeDocument(context, tx, kind, { account, name, actor }, () => value),
  );
}

/** @throws setting_unknown */
export async function requireSetting<Value>(
  { metadata }: RegistryContext,
  kind: DocumentKind<Value>,
  setting: SettingName,
  { account, name }: SettingAddress,
): Promise<Value> {
  const found = await findDocument(metadata.read, kind, account, name);
  if (found === undefined) throw new RegistryError("setting_unknown", { setting, name, account });
  return found.value;
}

/** @returns what it was @throws setting_unknown */
export function deleteSetting<Value>(
  context: RegistryContext,
  kind: DocumentKind<Value>,
  setting: SettingName,
  { account, name, actor }: SettingAddress & Actor,
): Promise<Value> {
  return context.metadata.transaction(async (tx) => {
    const deleted: Value[] = [];
    await changeDocument(context, tx, kind, { account, name, actor }, (present) => {
      if (present === undefined) {
        throw new RegistryError("setting_unknown", { setting, name, account });
      }
      deleted.push(present);
      return undefined;
    });
    const [value] = deleted;
    if (value === undefined) throw new RegistryError("setting_unknown", { setting, name, account });
    return value;
  });
}
