/** Settings of an account in this region, with their values and defaults. */

import type { Queryable } from "../metadata/metadata-store.ts";
import { findDocument } from "./documents.ts";
import { accountSettingKind, registryPolicyScopeSetting } from "./policy-kinds.ts";

interface AccountSetting {
  readonly values: readonly string[];
  readonly fallback: string;
}

export const blobMountingSetting = "BLOB_MOUNTING";

/** Mounting is off in ECR until it is switched on; here it costs nothing and is on. */
export const accountSettings: ReadonlyMap<string, AccountSetting> = new Map([
  ["BASIC_SCAN_TYPE_VERSION", { values: ["AWS_NATIVE"], fallback: "AWS_NATIVE" }],
  [registryPolicyScopeSetting, { values: ["V1", "V2"], fallback: "V2" }],
  [blobMountingSetting, { values: ["ENABLED", "DISABLED"], fallback: "ENABLED" }],
]);

export async function findAccountSetting(
  db: Queryable,
  account: string,
  name: string,
): Promise<string> {
  const found = await findDocument(db, accountSettingKind, account, name);
  return found?.value.value ?? accountSettings.get(name)?.fallback ?? "";
}
