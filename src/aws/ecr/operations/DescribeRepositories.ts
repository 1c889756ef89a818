/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRepositories.html */
import type { DescribeRepositoriesResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import {
  describeNamedRepositories,
  describeRepositoryPage,
} from "../../../registry/describe-repositories.ts";
import type { Wire } from "../../operation.ts";
import { invalidParameter } from "../errors.ts";
import { accountOf, operation, repositoryResource } from "../operation.ts";
import { pageToken, readPageToken } from "../page-token.ts";
import { repositoryShape } from "../repository-shape.ts";
import {
  maxResults,
  nextToken,
  optional,
  pageSize,
  registryId,
  repositoryName,
} from "../shapes.ts";

export const DescribeRepositories = operation({
  input: v.object({
    registryId: optional(registryId),
    repositoryNames: optional(v.pipe(v.array(repositoryName), v.minLength(1), v.maxLength(100))),
    nextToken,
    maxResults: maxResults(),
  }),
  permission: (call, input) =>
    (input.repositoryNames ?? ["*"]).map((repositoryName) => ({
      action: "ecr:DescribeRepositories",
      resource: repositoryResource(call, { ...input, repositoryName }),
    })),
  async handle(call, input): Promise<Wire<DescribeRepositoriesResponse>> {
    const { registry } = call.service;
    const account = accountOf(call, input);
    if (input.repositoryNames !== undefined) {
      if (input.nextToken !== undefined || input.maxResults !== undefined) {
        throw invalidParameter("nextToken", "Names and a page can not be asked for together");
      }
      const named = await describeNamedRepositories(registry, account, input.repositoryNames);
      return { repositories: named.map((repository) => repositoryShape(call, repository)) };
    }
    const binding = ["DescribeRepositories", account];
    const [after = ""] = readPageToken(binding, input.nextToken) ?? [];
    const { repositories, next } = await describeRepositoryPage(registry, {
      account,
      after,
      limit: input.maxResults ?? pageSize,
    });
    return {
      repositories: repositories.map((repository) => repositoryShape(call, repository)),
      ...(next !== undefined && { nextToken: pageToken(binding, [next]) }),
    };
  },
});
