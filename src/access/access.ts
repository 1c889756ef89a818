/**
 * The seam between the protocols and identity. Every request goes: authenticate -> decide -> only
 * then look whether the thing exists.
 *
 * A protocol knows who asks (`Principal`), from where (`RequestFacts`) and what for (`Permission`).
 * Policies, boundaries, groups and the tags of identities and repositories are behind `Access`.
 */

import type { RequestContext } from "../runtime/request.ts";

export type PrincipalKind = "root" | "user" | "assumed-role" | "federated";

/** Who a request was authenticated as. What is attached to it is looked up when it is needed. */
export interface Principal {
  readonly kind: PrincipalKind;
  /**
   * As denials, journal and audit name it: `arn:aws:iam::111122223333:user/jo`,
   * `arn:aws:sts::111122223333:assumed-role/deployer/session-1`.
   */
  readonly arn: string;
  /** Twelve digits. */
  readonly account: string;
  /**
   * What policies are attached to, `aws:PrincipalArn`: the ARN of the role for a session of a role;
   * for all others the same as `arn`.
   */
  readonly identityArn: string;
  /** `aws:userid`: `AIDA…` of a user, `AROA…:session-1` of a session, the account of its root. */
  readonly userId: string;
  /** `aws:username`; users alone have it. */
  readonly userName?: string;
  /** The key that the request was signed with, or that its token was asked for with. */
  readonly accessKeyId?: string;
  /** Only of temporary credentials. */
  readonly session?: PrincipalSession;
  /** The service that acts by a service-linked role. Policies may name it instead of the role. */
  readonly service?: string;
}

/** What temporary credentials were given with. */
export interface PrincipalSession {
  /** Milliseconds since the epoch, `aws:TokenIssueTime`. */
  readonly issuedAt: number;
  /**
   * Session policies, JSON documents: inline ones and the documents of managed ones. When there are
   * any, the session may do no more than they allow together.
   */
  readonly policies: readonly string[];
  /** Session tags; they come before the tags of the identity. */
  readonly tags: Readonly<Record<string, string>>;
  /** `aws:SourceIdentity` */
  readonly sourceIdentity?: string;
  /** `aws:FederatedProvider`, of sessions that began with a token of an identity provider. */
  readonly federatedProvider?: string;
}

export type AuthenticationFailure =
  /** Nothing was sent: answer with a challenge. */
  | "missing"
  /** Not a form that this server knows. */
  | "malformed"
  /** Unknown key, wrong secret, wrong signature. */
  | "invalid"
  /** It was right once. */
  | "expired";

export type Authentication =
  | { readonly principal: Principal }
  | { readonly failure: AuthenticationFailure };

/** What the request itself tells: the source of the global condition keys and of the audit. */
export interface RequestFacts {
  readonly requestId: string;
  /** Milliseconds since the epoch: `aws:CurrentTime`, `aws:EpochTime`. */
  readonly time: number;
  /** `aws:SourceIp` */
  readonly sourceAddress: string;
  /** `aws:SecureTransport` */
  readonly secure: boolean;
  /** `aws:UserAgent` */
  readonly userAgent: string | null;
  /** `aws:Referer` */
  readonly referer: string | null;
  /** The private endpoint that the request came through: `aws:SourceVpce`, `aws:SourceVpc`. */
  readonly endpoint?: { readonly id: string; readonly network?: string };
}

/** Values of condition keys by their full name: `aws:RequestTag/team`, `ecr:AccountSetting`. */
export type ConditionKeys = Readonly<Record<string, string | readonly string[]>>;

/** What a call needs. */
export interface Permission {
  /** For example `ecr:BatchGetImage`. */
  readonly action: string;
  /** An ARN, or `*` for actions without a resource. */
  readonly resource: string;
  /**
   * The keys that only the operation knows. Not among them: what `RequestFacts` and `Principal`
   * tell, and the tags of a repository, which `Access` looks up itself.
   */
  readonly conditions?: ConditionKeys;
  /** Whose registry it is about, when the resource does not say it. Absent: the caller's own. */
  readonly account?: string;
  /** The JSON text of a role's trust policy: it must allow the caller, or the caller's account. */
  readonly trustPolicy?: string;
}

export interface Caller {
  readonly principal: Principal;
  readonly request: RequestFacts;
}

export interface AccessRequest extends Caller, Permission {}

export interface Decision {
  readonly allowed: boolean;
  /** For the client, in AWS's words: which action on which resource was refused, and why. */
  readonly message: string;
  /** Of a refusal: the first permission that is missing. */
  readonly refused?: Permission;
}

export interface Access {
  /**
   * HTTP Basic, for `/v2/`: `AWS:<token from GetAuthorizationToken>`, or an access key id with its
   * secret.
   */
  authenticateBasic(authorization: string | null): Promise<Authentication>;
  /** Decides and leaves no trace: for lists that show only what the caller may see. */
  decide(request: AccessRequest): Promise<Decision>;
  /**
   * Decides what a call needs, all of it, and records the call in the audit: for every door.
   * @returns the first refusal, or a decision that allows
   */
  authorize(caller: Caller, permissions: readonly Permission[]): Promise<Decision>;
}

export function repositoryArn(region: string, account: string, repository: string): string {
  return `arn:aws:ecr:${region}:${account}:repository/${repository}`;
}

/** A class, because an object with a getter of its own costs a microsecond to make. */
class FactsOfRequest implements RequestFacts {
  readonly requestId: string;
  readonly time: number;
  readonly sourceAddress: string;
  readonly secure: boolean;
  readonly userAgent: string | null;
  readonly #request: Request;
  constructor(request: Request, context: RequestContext, now: number) {
    this.requestId = context.requestId;
    this.time = now;
    this.sourceAddress = context.clientAddress;
    this.secure = context.secure;
    this.userAgent = request.headers.get("user-agent");
    this.#request = request;
  }
  /** Few policies ask for it, and reading a header costs as much as deciding. */
  get referer(): string | null {
    return this.#request.headers.get("referer");
  }
}

export function requestFacts(request: Request, context: RequestContext, now: number): RequestFacts {
  return new FactsOfRequest(request, context, now);
}
