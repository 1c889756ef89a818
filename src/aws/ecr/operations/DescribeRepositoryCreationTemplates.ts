/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRepositoryCreationTemplates.html */
import type { DescribeRepositoryCreationTemplatesResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { creationTemplateKind } from "../../../registry/creation-templates.ts";
import { findDocument, listDocuments } from "../../../registry/documents.ts";
import type { Wire } from "../../operation.ts";
import { invalidParameter } from "../errors.ts";
import { onRegistry, operation } from "../operation.ts";
import { pageToken, readPageToken } from "../page-token.ts";
import { maxResults, nextToken, optional, pageSize } from "../shapes.ts";
import { templatePrefix, templateShape } from "../template-shape.ts";

export const DescribeRepositoryCreationTemplates = operation({
  input: v.object({
    prefixes: optional(v.pipe(v.array(templatePrefix), v.minLength(1), v.maxLength(100))),
    nextToken,
    maxResults: maxResults(),
  }),
  permission: onRegistry("DescribeRepositoryCreationTemplates"),
  async handle(call, input): Promise<Wire<DescribeRepositoryCreationTemplatesResponse>> {
    const { account } = call.principal;
    const { read } = call.service.registry.metadata;
    if (input.prefixes !== undefined) {
      if (input.nextToken !== undefined || input.maxResults !== undefined) {
        throw invalidParameter("nextToken", "prefixes and a page can not be asked for together");
      }
      const names = [...new Set(input.prefixes.map((prefix) => prefix.replace(/\/$/, "")))];
      const found = await Promise.all(
        names.map((name) => findDocument(read, creationTemplateKind, account, name)),
      );
      return {
        registryId: account,
        repositoryCreationTemplates: found.flatMap((document) =>
          document === undefined ? [] : [templateShape(document.name, document.value)],
        ),
      };
    }
    const binding = ["DescribeRepositoryCreationTemplates", account];
    const [after = ""] = readPageToken(binding, input.nextToken) ?? [];
    const limit = input.maxResults ?? pageSize;
    const documents = await listDocuments(read, creationTemplateKind, account, {
      after,
      limit: limit + 1,
    });
    const page = documents.slice(0, limit);
    const last = documents.length > limit ? page.at(-1)?.name : undefined;
    return {
      registryId: account,
      repositoryCreationTemplates: page.map(({ name, value }) => templateShape(name, value)),
      ...(last !== undefined && { nextToken: pageToken(binding, [last]) }),
    };
  },
});
