/** Requests for decisions, with what a test does not care about filled in. */
import type { AccessRequest, Principal, RequestFacts } from "../../src/access/access.ts";

export function facts(overrides: Partial<RequestFacts> = {}): RequestFacts {
  return {
    requestId: "00000000-0000-4000-8000-000000000000",
    time: 1_800_000_000_000,
    sourceAddress: "192.0.2.1",
    secure: true,
    userAgent: null,
    referer: null,
    ...overrides,
  };
}

export function accessRequest(
  principal: Principal,
  action: string,
  resource: string,
  rest: Partial<AccessRequest> = {},
): AccessRequest {
  return { principal, action, resource, request: facts(), ...rest };
}

export function userPrincipal(account: string, userName: string): Principal {
  const arn = `arn:aws:iam::${account}:user/${userName}`;
  return {
    kind: "user",
    arn,
    account,
    identityArn: arn,
    userId: "AIDAABCDEFGHIJKLMNOPQ",
    userName,
  };
}
