/**
 * The seam between the protocols and identity. Every request goes: authenticate -> decide -> only
 * then look whether the thing exists.
 *
 * The first form knows the root credentials of an account; users, roles and policies come with IAM
 * and change what is behind these interfaces, not the interfaces.
 */

export interface Principal {
  /** `arn:aws:iam::111122223333:root` */
  readonly arn: string;
  readonly account: string;
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

export interface Decision {
  readonly allowed: boolean;
  /** For the client, in AWS's words: which action on which resource was refused, and why. */
  readonly message: string;
}

export interface Access {
  /**
   * HTTP Basic, for `/v2/`: `AWS:<token from GetAuthorizationToken>`, or an access key id with its
   * secret.
   */
  authenticateBasic(authorization: string | null): Promise<Authentication>;
  /**
   * @param action for example `ecr:BatchGetImage`
   * @param resource an ARN, or `*` for actions without a resource
   */
  decide(principal: Principal, action: string, resource: string): Decision;
}

export function repositoryArn(region: string, account: string, repository: string): string {
  return `arn:aws:ecr:${region}:${account}:repository/${repository}`;
}
