/** Members that inputs of several endpoints share. */
import * as v from "valibot";
import { type Permission, repositoryArn } from "../access/access.ts";
import { imageDigest, registryId, repositoryName } from "../aws/ecr/shapes.ts";
import type { SearchCursor } from "../metadata/queries/search.ts";
import type { ConsoleCall } from "./endpoint.ts";

/** The account whose registry is meant; absent: the caller's own. */
export const account = v.exactOptional(registryId);
export const repository = v.pipe(v.string(), v.minLength(2), repositoryName);
export const searchText = v.optional(v.pipe(v.string(), v.maxLength(256)), "");
export const direction = v.optional(v.picklist(["ascending", "descending"]), "ascending");

/** A query's values are texts. */
export const limit = v.pipe(
  v.optional(v.pipe(v.string(), v.regex(/^[0-9]{1,3}$/)), "25"),
  v.transform(Number),
  v.minValue(1),
  v.maxValue(100),
);

/** `after`: where the page before ended, as its `next` said. */
export const after = v.exactOptional(
  v.pipe(
    v.string(),
    v.maxLength(600),
    v.rawTransform<string, SearchCursor>(({ dataset, addIssue, NEVER }) => {
      const match = /^([0-9]{1,15})\.(.+)$/.exec(dataset.value);
      if (match?.[2] !== undefined) return { value: Number(match[1]), name: match[2] };
      addIssue({ message: "must be what the page before said" });
      return NEVER;
    }),
  ),
);

export function cursorText({ value, name }: SearchCursor): string {
  return `${value}.${name}`;
}

/** An image by its digest or by one of its tags. */
export const imageReference = {
  repository,
  account,
  digest: v.exactOptional(imageDigest),
  tag: v.exactOptional(v.pipe(v.string(), v.minLength(1), v.maxLength(300))),
};

export function accountOf(call: ConsoleCall, input: { account?: string }): string {
  return input.account ?? call.session.key.principal.account;
}

export function onRepository(
  call: ConsoleCall,
  input: { account?: string; repository: string },
  ...actions: readonly string[]
): Permission[] {
  const { region } = call.services.registry;
  const resource = repositoryArn(region, accountOf(call, input), input.repository);
  return actions.map((action) => ({ action: `ecr:${action}`, resource }));
}

/** What concerns the registry of the account as a whole. */
export function onRegistry(
  call: ConsoleCall,
  input: { account?: string },
  action: string,
): Permission[] {
  return [{ action: `ecr:${action}`, resource: "*", account: accountOf(call, input) }];
}
