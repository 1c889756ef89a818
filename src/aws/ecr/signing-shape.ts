/** The signing configuration of a registry as Amazon ECR takes and answers it. */
import type { SigningConfiguration as Shape } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import type { SigningConfiguration } from "../../registry/signing-configuration.ts";
import { optional } from "./shapes.ts";

const filter = v.object({
  filter: v.pipe(v.string(), v.minLength(1), v.maxLength(256), v.regex(/^[a-z0-9*._/-]+$/)),
  filterType: v.picklist(["WILDCARD_MATCH"]),
});

export const signingInput = v.object({
  rules: v.pipe(
    v.array(
      v.object({
        signingProfileArn: v.pipe(
          v.string(),
          v.maxLength(200),
          v.regex(
            /^arn:aws(-[a-z]+)*:signer:[a-z0-9-]+:[0-9]{12}:\/signing-profiles\/[a-zA-Z0-9_]{2,}$/,
          ),
        ),
        repositoryFilters: optional(v.pipe(v.array(filter), v.minLength(1), v.maxLength(100))),
      }),
    ),
    v.maxLength(10),
  ),
});

export function signingConfigurationOf(
  input: v.InferOutput<typeof signingInput>,
): SigningConfiguration {
  return {
    rules: input.rules.map(({ signingProfileArn, repositoryFilters }) => ({
      signingProfileArn,
      ...(repositoryFilters && { filters: repositoryFilters.map((each) => each.filter) }),
    })),
  };
}

export function signingShape({ rules }: SigningConfiguration): Shape {
  return {
    rules: rules.map(({ signingProfileArn, filters }) => ({
      signingProfileArn,
      ...(filters && {
        repositoryFilters: filters.map((each) => ({ filter: each, filterType: "WILDCARD_MATCH" })),
      }),
    })),
  };
}
