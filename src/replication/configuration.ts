/**
 * The replication configuration of a registry: which repositories go to which destinations. One
 * document per registry (account and region), replaced as a whole, as in Amazon ECR.
 * https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutReplicationConfiguration.html
 */
import * as v from "valibot";
import type { Queryable } from "../metadata/metadata-store.ts";
import { selectSetting, upsertSetting } from "../metadata/queries/settings.ts";
import { announce } from "../registry/change.ts";
import type { RegistryContext } from "../registry/context.ts";
import { RegistryError } from "../registry/errors.ts";
import {
  everyFilterSchema,
  type FilteredImage,
  filtersTake,
  prefixFilterSchema,
  type ReplicationFilter,
} from "./filters.ts";

/** A registry: an account in a region. */
export interface Destination {
  readonly region: string;
  /** The account, twelve digits. */
  readonly registryId: string;
}

export interface ReplicationRule {
  readonly destinations: readonly Destination[];
  /**
   * Of ECR's PREFIX_MATCH, the beginning of a repository's name as bare text (`prod` also takes
   * `production/web`), any one takes it; absent takes every push. Types of our own: filters.ts.
   */
  readonly repositoryFilters?: readonly ReplicationFilter[] | undefined;
}

export interface ReplicationConfiguration {
  readonly rules: readonly ReplicationRule[];
}

export interface ReplicationConfigurationLimits {
  readonly rules: number;
  readonly destinationsPerRule: number;
  /** Over all rules together, each counted once. */
  readonly uniqueDestinations: number;
  readonly filtersPerRule: number;
}

/** ECR's quotas: https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html */
export const defaultReplicationConfigurationLimits: ReplicationConfigurationLimits = {
  rules: 10,
  destinationsPerRule: 100,
  uniqueDestinations: 25,
  filtersPerRule: 100,
};

const noRules: ReplicationConfiguration = { rules: [] };
const settingName = "replication_configuration";

/** The shape of the document, with what can be judged without knowing the registry. */
export function replicationConfigurationSchema(
  limits: ReplicationConfigurationLimits = defaultReplicationConfigurationLimits,
  { ownFilterTypes = false }: { readonly ownFilterTypes?: boolean } = {},
) {
  const destination = v.object({
    region: v.pipe(v.string(), v.minLength(2), v.maxLength(25), v.regex(/^[0-9a-z-]{2,25}$/)),
    registryId: v.pipe(v.string(), v.regex(/^[0-9]{12}$/)),
  });
  const repositoryFilter: v.GenericSchema<unknown, ReplicationFilter> = ownFilterTypes
    ? everyFilterSchema
    : prefixFilterSchema;
  const rule = v.object({
    destinations: v.pipe(v.array(destination), v.maxLength(limits.destinationsPerRule)),
    repositoryFilters: v.nullish(
      v.pipe(v.array(repositoryFilter), v.minLength(1), v.maxLength(limits.filtersPerRule)),
      () => undefined,
    ),
  });
  return v.object({ rules: v.pipe(v.array(rule), v.maxLength(limits.rules)) });
}

export interface ReplicationSource {
  readonly region: string;
  readonly account: string;
  /** Regions that can be reached from here, if known; a destination elsewhere is refused. */
  readonly knownRegions?: ReadonlySet<string> | undefined;
  /** Destinations that ask nobody's consent: an account may only send to its own place there. */
  readonly registries?: ReadonlySet<string> | undefined;
}

/**
 * Judges a document that has the shape of the schema against the registry that it is for.
 *
 * @throws RegistryError `parameter_invalid`
 */
export function validateReplicationConfiguration(
  configuration: ReplicationConfiguration,
  source: ReplicationSource,
  limits: ReplicationConfigurationLimits = defaultReplicationConfigurationLimits,
): void {
  const destinations = unique(configuration.rules.flatMap((rule) => rule.destinations));
  for (const destination of destinations) {
    if (destination.region === source.region && destination.registryId === source.account) {
      throw invalid("Replication destination cannot be the same as the source registry");
    }
    if (source.knownRegions !== undefined && !source.knownRegions.has(destination.region)) {
      throw invalid(`Replication destination region '${destination.region}' is not known here`);
    }
    if (source.registries?.has(destination.region) && destination.registryId !== source.account) {
      throw invalid(
        `Replication destination '${destination.region}' is a registry that takes an account's images from itself only`,
      );
    }
  }
  if (destinations.length > limits.uniqueDestinations) {
    throw invalid(
      `Replication configuration must have at most ${limits.uniqueDestinations} unique destinations`,
    );
  }
}

function invalid(reason: string): RegistryError {
  return new RegistryError("parameter_invalid", { parameter: "replicationConfiguration", reason });
}

/**
 * Where an image goes: the destinations of every rule that takes it, each once, in the order of the
 * rules.
 */
export function destinationsFor(
  configuration: ReplicationConfiguration,
  image: FilteredImage,
): Destination[] {
  return unique(
    configuration.rules
      .filter(({ repositoryFilters }) => filtersTake(repositoryFilters, image))
      .flatMap((rule) => rule.destinations),
  );
}

/** Every destination that some rule names. */
export function allDestinations({ rules }: ReplicationConfiguration): Destination[] {
  return unique(rules.flatMap((rule) => rule.destinations));
}

function unique(destinations: readonly Destination[]): Destination[] {
  const byName = new Map<string, Destination>();
  for (const destination of destinations) {
    const name = `${destination.region}/${destination.registryId}`;
    if (!byName.has(name)) byName.set(name, destination);
  }
  return [...byName.values()];
}

/** The configuration of an account's registry; one without rules when none was ever put. */
export async function getReplicationConfiguration(
  db: Queryable,
  account: string,
): Promise<ReplicationConfiguration> {
  const text = await selectSetting(db, account, settingName);
  if (text === undefined) return noRules;
  // Only putReplicationConfiguration writes it, so it has been judged already.
  return JSON.parse(text) as ReplicationConfiguration;
}

export interface PutReplicationConfiguration {
  readonly account: string;
  /** It has the shape of the schema; the rest is judged here. */
  readonly configuration: ReplicationConfiguration;
  /** ARN of the principal that asked for it. */
  readonly actor: string;
  readonly knownRegions?: ReadonlySet<string> | undefined;
  readonly registries?: ReadonlySet<string> | undefined;
  readonly limits?: ReplicationConfigurationLimits | undefined;
}

/**
 * Replaces the configuration of an account's registry.
 *
 * @throws RegistryError `parameter_invalid`
 */
export async function putReplicationConfiguration(
  context: RegistryContext,
  { account, configuration, actor, knownRegions, registries, limits }: PutReplicationConfiguration,
): Promise<void> {
  validateReplicationConfiguration(
    configuration,
    { region: context.region, account, knownRegions, registries },
    limits,
  );
  await context.metadata.transaction(async (tx) => {
    const text = JSON.stringify(configuration);
    await upsertSetting(tx, account, settingName, text, context.clock.now());
    await announce(context, tx, {
      kind: "replication_configuration_set",
      account,
      repository: "",
      origin: context.region,
      actor,
      detail: { configuration },
    });
  });
}
