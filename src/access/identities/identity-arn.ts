/** ARNs of what IAM keeps: `arn:aws:iam::111122223333:user/division/jo`. */
import type { IdentityType } from "./identity-documents.ts";

export function identityArn(
  account: string,
  type: IdentityType,
  { path, name }: { path: string; name: string },
): string {
  return `arn:aws:iam::${account}:${type}${path}${name}`;
}

export interface ParsedIdentityArn {
  readonly account: string;
  readonly type: IdentityType;
  readonly path: string;
  readonly name: string;
}

const pattern =
  /^arn:aws:iam::(\d{12}):(user|group|role|policy|instance-profile)(\/(?:[!-.0-~]+\/)*)([\w+=,.@-]+)$/;

export function parseIdentityArn(arn: string): ParsedIdentityArn | undefined {
  const match = arn.length > 2048 ? null : pattern.exec(arn);
  if (match === null) return undefined;
  const [, account = "", type = "", path = "", name = ""] = match;
  return isType(type) ? { account, type, path, name } : undefined;
}

function isType(text: string): text is IdentityType {
  return ["user", "group", "role", "policy", "instance-profile"].includes(text);
}

export function assumedRoleArn(account: string, roleName: string, sessionName: string): string {
  return `arn:aws:sts::${account}:assumed-role/${roleName}/${sessionName}`;
}
