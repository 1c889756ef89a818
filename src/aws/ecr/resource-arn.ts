/** `arn:aws:ecr:us-east-1:111122223333:repository/team/web`, as an input. */
import * as v from "valibot";
import { repositoryArn } from "../../access/access.ts";
import { isRepositoryName } from "../../image/reference.ts";
import type { RepositoryAddress } from "../../registry/context.ts";
import type { Actor } from "../../registry/create-repository.ts";
import { invalidParameter } from "./errors.ts";
import type { EcrCall } from "./operation.ts";

const pattern = /^arn:aws[a-z-]*:ecr:([a-z0-9-]+):([0-9]{12}):repository\/(.+)$/;

export const resourceArn = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(2048),
  v.check((text) => {
    const [, , , name] = pattern.exec(text) ?? [];
    return name !== undefined && isRepositoryName(name);
  }, "Invalid ARN"),
);

/** @throws InvalidParameterException for a repository of another region */
export function repositoryOfArn(call: EcrCall, arn: string): RepositoryAddress & Actor {
  const [, region, account = "", repository = ""] = pattern.exec(arn) ?? [];
  if (region !== call.service.registry.region) {
    throw invalidParameter(
      "resourceArn",
      `The repository is not in ${call.service.registry.region}`,
    );
  }
  return { account, repository, actor: call.principal.arn };
}

/** What decisions are made on, whatever partition the client wrote. */
export function resourceOfArn(call: EcrCall, arn: string): string {
  const { account, repository } = repositoryOfArn(call, arn);
  return repositoryArn(call.service.registry.region, account, repository);
}
