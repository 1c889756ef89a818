/**
 * Where the policies of a decision come from. What is asked here is cached behind `Access`, and
 * forgotten when a document that it was made from changes.
 */
import type { RequestFacts } from "./access.ts";

export interface AttachedPolicy {
  /** For people: an ARN, or which inline policy of whom. */
  readonly name: string;
  /** The JSON text. It was found good when it was stored. */
  readonly document: string;
}

/** All that is attached to a user or a role. */
export interface IdentityPolicies {
  /**
   * The unique id, `AIDA…` or `AROA…`: who had the same name before, and still has credentials that
   * were not checked again, must not come into its rights.
   */
  readonly id: string;
  /** Inline and managed ones, in their default versions, those of the user's groups too. */
  readonly policies: readonly AttachedPolicy[];
  /** The permissions boundary. */
  readonly boundary?: AttachedPolicy;
  readonly tags: Readonly<Record<string, string>>;
}

/** Identities: what IAM keeps. */
export interface IdentitySource {
  /**
   * Never asked for the root of an account, which needs no policy.
   * @param identityArn of a user or a role
   * @returns undefined when the identity is gone: then nothing is allowed
   */
  identityPolicies(identityArn: string): Promise<IdentityPolicies | undefined>;
}

export interface RepositoryPolicies {
  /** The repository policy's JSON text. */
  readonly policy?: string;
  /** The repository's resource tags. */
  readonly tags: Readonly<Record<string, string>>;
}

/** For a region whose accounts have nobody but their roots. */
export const noIdentities: IdentitySource = { identityPolicies: async () => undefined };

/** V1: the registry policy counts for replication, import and creation; V2: for every action. */
export type RegistryPolicyScope = "V1" | "V2";

export interface RegistryPolicies {
  /** The registry policy's JSON text. */
  readonly policy?: string;
  readonly scope: RegistryPolicyScope;
}

/** Policies of resources, with what else the decision needs of them. */
export interface ResourceSource {
  /** A repository that does not exist has no policy and no tags. */
  repositoryPolicies(account: string, repository: string): Promise<RepositoryPolicies>;
  registryPolicies(account: string): Promise<RegistryPolicies>;
}

export interface PolicySource extends IdentitySource, ResourceSource {
  /** The policy of the private endpoint that a request came through; absent: there are none. */
  endpointPolicy?(request: RequestFacts): AttachedPolicy | undefined;
}
