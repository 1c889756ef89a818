/** Members that inputs of Amazon ECR's operations share. */
import * as v from "valibot";
import { parseDigest } from "../../image/digest.ts";
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

const imageDigest = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const digest = parseDigest(dataset.value);
    if (digest !== undefined) return digest;
    addIssue({ message: "must be a sha256 or sha512 digest" });
    return NEVER;
  }),
);

export const imageIdentifier = v.object({
  imageDigest: optional(imageDigest),
  imageTag: optional(v.pipe(v.string(), v.minLength(1), v.maxLength(300))),
});
