/** A secret as DescribeSecret and ListSecrets tell of it: everything but its value. */
import type { Secret } from "../../access/secrets.ts";
import { epochSeconds } from "../operation.ts";

export function secretShape(name: string, secret: Secret, versions: string): object {
  const { description, deletedAt, previous } = secret;
  return {
    ARN: secret.arn,
    Name: name,
    ...(description !== undefined && { Description: description }),
    CreatedDate: epochSeconds(secret.createdAt),
    LastChangedDate: epochSeconds(secret.changedAt),
    ...(deletedAt !== undefined && { DeletedDate: epochSeconds(deletedAt) }),
    Tags: Object.entries(secret.tags).map(([Key, Value]) => ({ Key, Value })),
    [versions]: {
      [secret.current.id]: ["AWSCURRENT"],
      ...(previous !== undefined && { [previous.id]: ["AWSPREVIOUS"] }),
    },
  };
}
