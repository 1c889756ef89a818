/** What the ARN of a target means. Webhooks have EventBridge's own form, the others are ours. */

export type TargetPlace =
  /** `arn:aws:events:<region>:<account>:api-destination/<name>/<id>` */
  | { readonly kind: "api-destination"; readonly name: string; readonly id: string }
  /** `arn:aws:portolan:<region>:<account>:file/<name>`: JSON lines in the data directory. */
  | { readonly kind: "file"; readonly name: string }
  /** `arn:aws:portolan:<region>:<account>:standard-output`: lines of the server's log. */
  | { readonly kind: "standard-output" };

/** Undefined when it is none of ours, or of another region or account. */
export function parseTargetArn(
  arn: string,
  own: { readonly region: string; readonly account: string },
): TargetPlace | undefined {
  const [scheme, partition, service, region, account, resource, ...rest] = arn.split(":");
  if (scheme !== "arn" || partition !== "aws" || rest.length > 0 || resource === undefined) {
    return undefined;
  }
  if (region !== own.region || account !== own.account) return undefined;
  const [type, name = "", id = "", ...deeper] = resource.split("/");
  if (deeper.length > 0) return undefined;
  if (service === "events" && type === "api-destination" && namePattern.test(name) && id !== "") {
    return { kind: type, name, id };
  }
  if (service !== "portolan") return undefined;
  if (resource === "standard-output") return { kind: resource };
  if (type === "file" && id === "" && namePattern.test(name)) return { kind: type, name };
  return undefined;
}

const namePattern = /^[A-Za-z0-9_-]{1,64}$/;
