/**
 * What the rules of an account send to one destination, as the source has it now: the source's side
 * of the tree. Only what was set or pushed in this region counts, because nothing else is sent.
 */

import type { Queryable } from "../../metadata/metadata-store.ts";
import { selectArtifactType } from "../../metadata/queries/image-closure.ts";
import {
  type Destination,
  destinationsFor,
  type ReplicationConfiguration,
} from "../configuration.ts";
import {
  filtersTake,
  looksAtArtifactType,
  ownFilterTypes,
  type ReplicationFilter,
} from "../filters.ts";
import { emptySummary, type Leaf, summarizer } from "./digest-tree.ts";
import {
  type LeafKind,
  leafKinds,
  type RegistryLeaves,
  type RegistrySummary,
  type RepositorySummary,
} from "./registry-leaves.ts";

export interface ExpectedRepository extends RepositorySummary {
  /**
   * Where a rule chooses by tag or artifact type, manifests arrive only below the tags that it
   * takes, and only tags are compared.
   */
  readonly kinds: readonly LeafKind[];
}

export interface ExpectedImages {
  readonly repositories: ReadonlyMap<string, ExpectedRepository>;
  readonly summary: RegistrySummary;
  pages(repository: string, kind: LeafKind): AsyncIterable<readonly Leaf[]>;
}

export interface ExpectedImagesScope {
  readonly account: string;
  readonly region: string;
  readonly destination: Destination;
  /** Only repositories whose names begin so. */
  readonly repositoryPrefix: string;
}

export async function expectedImages(
  db: Queryable,
  leaves: RegistryLeaves,
  configuration: ReplicationConfiguration,
  { account, region, destination, repositoryPrefix }: ExpectedImagesScope,
): Promise<ExpectedImages> {
  const rules = rulesTo(configuration, destination);
  const typed = rules.rules.some((rule) => looksAtArtifactType(rule.repositoryFilters));
  const all = await leaves.summaries({ account, origin: region });
  const repositories = new Map<string, ExpectedRepository>();

  async function* filtered(name: string, id: number): AsyncGenerator<readonly Leaf[]> {
    for await (const page of leaves.pages(id, "tags", region)) {
      const taken: Leaf[] = [];
      for (const leaf of page) {
        const [tag, digest = ""] = leaf;
        const artifactType = typed ? await selectArtifactType(db, id, digest) : "";
        const image = { repository: name, tag, artifactType };
        if (destinationsFor(rules, image).length > 0) taken.push(leaf);
      }
      yield taken;
    }
  }

  const pages = (name: string, kind: LeafKind) => {
    const known = repositories.get(name);
    if (known === undefined) throw new Error(`${name} is not compared`);
    return known.kinds.includes("manifests")
      ? leaves.pages(known.id, kind, region)
      : filtered(name, known.id);
  };

  for (const [name, known] of all) {
    if (!name.startsWith(repositoryPrefix)) continue;
    const takes = takesRepository(rules, name);
    if (takes === "none") continue;
    if (takes === "whole") {
      repositories.set(name, { ...known, kinds: leafKinds });
      continue;
    }
    const tags = summarizer();
    for await (const page of filtered(name, known.id)) for (const leaf of page) tags.add(leaf);
    const summary = { id: known.id, tags: tags.end(), manifests: emptySummary };
    if (summary.tags.count > 0) repositories.set(name, { ...summary, kinds: ["tags"] });
  }
  return { repositories, summary: repositories, pages };
}

/** The rules with this destination alone. */
function rulesTo(
  { rules }: ReplicationConfiguration,
  destination: Destination,
): ReplicationConfiguration {
  const { region, registryId } = destination;
  return {
    rules: rules.flatMap((rule) => {
      const named = rule.destinations.filter(
        (each) => each.region === region && each.registryId === registryId,
      );
      return named.length === 0 ? [] : [{ ...rule, destinations: named }];
    }),
  };
}

/** `some`: the rule also looks at tags or artifact types. */
function takesRepository(
  { rules }: ReplicationConfiguration,
  repository: string,
): "none" | "some" | "whole" {
  let takes: "none" | "some" = "none";
  for (const { repositoryFilters } of rules) {
    const image = { repository, tag: undefined, artifactType: "" };
    const ofName = repositoryFilters?.filter(looksAtName);
    if (!filtersTake(ofName, image)) continue;
    if (ofName?.length === repositoryFilters?.length) return "whole";
    takes = "some";
  }
  return takes;
}

function looksAtName({ filterType }: ReplicationFilter): boolean {
  return filterType === "PREFIX_MATCH" || ownFilterTypes[filterType].subject === "repository";
}
