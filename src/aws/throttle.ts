/**
 * How often a principal may call an operation. ECR's own default rates are a table; a self-hosted
 * registry applies them only when it is told to, so that what runs there will run on Amazon ECR too.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
 */
import type { BucketRate, TokenBuckets } from "../runtime/token-buckets.ts";
import { AwsError } from "./errors.ts";

export interface ThrottleSettings {
  /** Of each operation, per second and principal; 0: no limit. */
  readonly requestsPerSecond: number;
  /** Amazon ECR's rates where it states one. */
  readonly ecrRates: boolean;
}

/** Per second and account there; per second and principal here. */
const ecrRates: Readonly<Record<string, number>> = {
  GetAuthorizationToken: 500,
  BatchGetImage: 2000,
  GetDownloadUrlForLayer: 3000,
  BatchCheckLayerAvailability: 1000,
  InitiateLayerUpload: 100,
  UploadLayerPart: 500,
  CompleteLayerUpload: 100,
  PutImage: 10,
};

export interface Throttle {
  /** @throws ThrottlingException */
  check(principalArn: string, service: string, operation: string, now: number): void;
}

export function throttle(settings: ThrottleSettings, buckets: TokenBuckets): Throttle {
  const rates = new Map<string, BucketRate | undefined>();

  function rateOf(service: string, operation: string): BucketRate | undefined {
    const name = `${service}.${operation}`;
    if (rates.has(name)) return rates.get(name);
    const stated = service === "ecr" && settings.ecrRates ? ecrRates[operation] : undefined;
    const perSecond = stated ?? settings.requestsPerSecond;
    const rate = perSecond > 0 ? { perSecond, burst: Math.max(1, perSecond * 2) } : undefined;
    rates.set(name, rate);
    return rate;
  }

  return {
    check(principalArn, service, operation, now) {
      const rate = rateOf(service, operation);
      if (rate === undefined) return;
      if (buckets.take(`${service}.${operation} ${principalArn}`, rate, now) === 0) return;
      throw new AwsError("ThrottlingException", "Rate exceeded");
    },
  };
}

export const noThrottle: Throttle = { check() {} };
