/** Where clients find the registry of an account: this host, or its own name below it. */

/**
 * `api.ecr.us-east-1.example.com` and `111122223333.dkr.ecr.…` carry the account in the host; on any
 * other host the registry is the caller's own.
 */
export function registryHost(account: string): string {
  const { host } = window.location;
  const domain = /^(?:api\.ecr|[0-9]{12}\.dkr\.ecr)\.(.+)$/.exec(host)?.[1];
  return domain === undefined ? host : `${account}.dkr.ecr.${domain}`;
}
