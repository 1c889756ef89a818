/** Members that inputs of Amazon ECR's operations share. */
import * as v from "valibot";
import { isRepositoryName } from "../../image/reference.ts";

/** A member that may be left out. AWS takes `null` for the same. */
export function optional<Schema extends v.GenericSchema>(schema: Schema) {
  return v.nullish(schema, () => undefined);
}

export const registryId = v.pipe(v.string(), v.regex(/^[0-9]{12}$/));

/** ECR's own text; the rule is that of the OCI specification. */
export const repositoryName = v.pipe(
  v.string(),
  v.maxLength(256),
  v.check(
    isRepositoryName,
    "must satisfy regular expression '[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*'",
  ),
);

export const imageIdentifier = v.object({
  imageDigest: optional(v.string()),
  imageTag: optional(v.pipe(v.string(), v.minLength(1), v.maxLength(300))),
});
