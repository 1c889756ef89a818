/**
 * What IAM keeps, as versioned documents of the installation: one document for each user, group,
 * role, managed policy, instance profile and access key. Names are alike whatever their case, so a
 * document's name is the entity's in lower case.
 */
import { type DocumentKind, documentKind } from "../../registry/documents.ts";

export type Tags = Readonly<Record<string, string>>;

interface Entity {
  readonly name: string;
  /** `/` or `/division/team/`. */
  readonly path: string;
  /** The unique id, such as `AIDA…`. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** What policies are attached to. */
export interface PolicyHolder {
  /** JSON texts by name. */
  readonly inlinePolicies: Readonly<Record<string, string>>;
  /** ARNs of managed policies, in the order of their attachment. */
  readonly attachedPolicies: readonly string[];
}

interface Bounded {
  /** ARN of the managed policy that is the permissions boundary. */
  readonly boundary?: string;
  readonly tags: Tags;
}

export interface User extends Entity, PolicyHolder, Bounded {
  /** Names of groups. */
  readonly groups: readonly string[];
}

export interface Group extends Entity, PolicyHolder {}

export interface Role extends Entity, PolicyHolder, Bounded {
  readonly description?: string;
  readonly maxSessionSeconds: number;
  /** JSON. */
  readonly trustPolicy: string;
}

export interface PolicyVersion {
  /** `v1` */
  readonly id: string;
  readonly document: string;
  readonly createdAt: number;
}

export interface CustomerPolicy extends Entity {
  readonly description?: string;
  readonly updatedAt: number;
  readonly tags: Tags;
  readonly defaultVersion: string;
  /** Oldest first. */
  readonly versions: readonly PolicyVersion[];
  /** Numbers of deleted versions are not given again. */
  readonly lastVersionNumber: number;
}

export interface InstanceProfile extends Entity {
  readonly tags: Tags;
  /** One name of a role at most. */
  readonly roles: readonly string[];
}

export interface UserAccessKey {
  readonly userName: string;
  readonly userId: string;
  /** Encrypted under the installation's key; base64. */
  readonly secret: string;
  readonly status: "Active" | "Inactive";
  readonly createdAt: number;
}

export interface Identities {
  readonly user: User;
  readonly group: Group;
  readonly role: Role;
  readonly policy: CustomerPolicy;
  readonly "instance-profile": InstanceProfile;
}

export type IdentityType = keyof Identities;
export type HolderType = "user" | "group" | "role";

export const identityKinds: { readonly [T in IdentityType]: DocumentKind<Identities[T]> } = {
  user: documentKind("iam-user", "installation"),
  group: documentKind("iam-group", "installation"),
  role: documentKind("iam-role", "installation"),
  policy: documentKind("iam-policy", "installation"),
  "instance-profile": documentKind("iam-instance-profile", "installation"),
};

/** Name: the key's id. Owner: the user's name in lower case. */
export const accessKeyKind = documentKind<UserAccessKey>("iam-access-key", "installation");

export function documentName(name: string): string {
  return name.toLowerCase();
}
