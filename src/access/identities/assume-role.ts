/** Credentials of a session of a role, for a caller whom its trust policy was found to allow. */
import type { Principal } from "../access.ts";
import { policyCharacters, policyCharactersLimits } from "../policy/policy-types.ts";
import { assumedRoleArn, identityArn } from "./identity-arn.ts";
import type { IdentityContext } from "./identity-context.ts";
import type { Role } from "./identity-documents.ts";
import { IdentityError } from "./identity-error.ts";
import { requireGoodPolicy, requirePolicyDocument } from "./policy-document.ts";
import type { IssuedSession, SessionCredentials } from "./session-credentials.ts";

export interface RoleSession {
  readonly account: string;
  readonly role: Role;
  readonly sessionName: string;
  readonly durationSeconds: number;
  /** The caller is itself a session of a role: then an hour is the most. */
  readonly isChained: boolean;
  /** An inline session policy, JSON. */
  readonly policy?: string | undefined;
  readonly policyArns: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly sourceIdentity?: string | undefined;
  readonly federatedProvider?: string | undefined;
}

export interface AssumedRole {
  readonly credentials: IssuedSession;
  readonly principal: Principal;
}

const chainedSecondsLimit = 3600;

/** @throws IdentityError ValidationError, MalformedPolicyDocument, PackedPolicyTooLarge */
export async function assumeRole(
  context: IdentityContext,
  sessions: SessionCredentials,
  input: RoleSession,
): Promise<AssumedRole> {
  const { account, role, sessionName, durationSeconds, sourceIdentity, federatedProvider } = input;
  if (durationSeconds > role.maxSessionSeconds) {
    throw new IdentityError(
      "ValidationError",
      "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    );
  }
  if (input.isChained && durationSeconds > chainedSecondsLimit) {
    throw new IdentityError(
      "ValidationError",
      "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    );
  }
  const principal: Principal = {
    kind: "assumed-role",
    arn: assumedRoleArn(account, role.name, sessionName),
    account,
    identityArn: identityArn(account, "role", role),
    userId: `${role.id}:${sessionName}`,
    session: {
      issuedAt: context.registry.clock.now(),
      policies: await sessionPolicies(context, account, input),
      tags: input.tags,
      ...(sourceIdentity !== undefined && { sourceIdentity }),
      ...(federatedProvider !== undefined && { federatedProvider }),
    },
  };
  const credentials = sessions.issue(principal, durationSeconds);
  if (credentials === undefined) {
    throw new IdentityError(
      "PackedPolicyTooLarge",
      "Packed policy consumes more than 100% of the allotted space, please use smaller policy.",
    );
  }
  return { credentials, principal };
}

async function sessionPolicies(
  { registry }: IdentityContext,
  account: string,
  { policy, policyArns }: Pick<RoleSession, "policy" | "policyArns">,
): Promise<string[]> {
  const documents: string[] = [];
  if (policy !== undefined) {
    requireGoodPolicy(policy, "session", policyCharactersLimits.session);
    documents.push(policy);
  }
  for (const arn of policyArns) {
    documents.push(await requirePolicyDocument(registry.metadata.read, account, arn));
  }
  const characters = documents.map(policyCharacters).reduce((sum, count) => sum + count, 0);
  if (characters > policyCharactersLimits.managed * 2) {
    throw new IdentityError("PackedPolicyTooLarge", "The session policies are too long together.");
  }
  return documents;
}
