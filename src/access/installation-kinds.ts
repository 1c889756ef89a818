/** The documents of scope `installation` that are about identities, with the shapes of their values. */
import * as v from "valibot";
import { accessKeyKind, identityKinds } from "./identities/identity-documents.ts";
import {
  groupShape,
  instanceProfileShape,
  policyShape,
  roleShape,
  userShape,
} from "./identities/identity-shapes.ts";
import { rootKeyKind } from "./root-keys.ts";

const time = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const secret = v.pipe(v.string(), v.base64(), v.maxLength(4096));

const userKeyShape = v.looseObject({
  userName: v.string(),
  userId: v.string(),
  secret,
  status: v.picklist(["Active", "Inactive"]),
  createdAt: time,
});

const rootKeyShape = v.looseObject({
  secret,
  source: v.picklist(["configuration", "generated"]),
  status: v.picklist(["active", "inactive"]),
  createdAt: time,
});

export const identityDocumentShapes: ReadonlyMap<string, v.GenericSchema> = new Map<
  string,
  v.GenericSchema
>([
  [identityKinds.user.kind, userShape],
  [identityKinds.group.kind, groupShape],
  [identityKinds.role.kind, roleShape],
  [identityKinds.policy.kind, policyShape],
  [identityKinds["instance-profile"].kind, instanceProfileShape],
  [accessKeyKind.kind, userKeyShape],
  [rootKeyKind.kind, rootKeyShape],
]);
