/**
 * The condition operators: how one value of a policy is compared with one value of a request. What
 * several values, an absent key and negation mean is in `conditions.ts`.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
import { arnGlob } from "./arn-pattern.ts";
import { type GlobToken, globOf, type TextMatcher } from "./glob.ts";
import { parseIpAddress, parseIpNetwork } from "./ip-network.ts";

/** A comparison that policy variables may take part in: it gets what they came to. */
interface TextOperator {
  readonly negated: boolean;
  /** Whether `*` and `?` are wildcards. */
  readonly wildcards: boolean;
  matcher(pattern: readonly GlobToken[]): TextMatcher;
}

/** A comparison with a value that is what it is. */
interface ValueOperator {
  readonly negated: boolean;
  /** Undefined when the policy's value is not one of this type. */
  matcher(value: string): TextMatcher | undefined;
}

const text = (negated: boolean): TextOperator => ({
  negated,
  wildcards: false,
  matcher(tokens) {
    const whole = tokens.join("");
    return (value) => value === whole;
  },
});

const textIgnoringCase = (negated: boolean): TextOperator => ({
  negated,
  wildcards: false,
  matcher(tokens) {
    const whole = tokens.join("").toLowerCase();
    return (value) => value.toLowerCase() === whole;
  },
});

const pattern = (negated: boolean): TextOperator => ({ negated, wildcards: true, matcher: globOf });

/** `ArnEquals` is the same as `ArnLike`. */
const arn = (negated: boolean): TextOperator => ({ negated, wildcards: true, matcher: arnGlob });

/** @param read NaN for what is no value of the type */
function ordered(
  read: (text: string) => number,
  negated: boolean,
  holds: (value: number, limit: number) => boolean,
): ValueOperator {
  return {
    negated,
    matcher(policyValue) {
      const limit = read(policyValue);
      if (Number.isNaN(limit)) return undefined;
      return (requestValue) => {
        const value = read(requestValue);
        return !Number.isNaN(value) && holds(value, limit);
      };
    },
  };
}

const equal = (a: number, b: number) => a === b;
const less = (a: number, b: number) => a < b;
const lessOrEqual = (a: number, b: number) => a <= b;
const greater = (a: number, b: number) => a > b;
const greaterOrEqual = (a: number, b: number) => a >= b;

export function parseNumber(text: string): number {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}

const datePattern =
  /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/** One of the ISO 8601 forms of W3C, in UTC when it names no zone; or seconds since the epoch. */
export function parseDate(text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1000;
  const match = datePattern.exec(text);
  if (match === null) return Number.NaN;
  const [, year, month, day, hour = "00", minute = "00", second = "00", fraction = "", zone] =
    match;
  const colon = zone?.replace(/([+-]\d{2}):?(\d{2})/, "$1:$2") ?? "Z";
  const milliseconds = fraction.slice(1, 4).padEnd(3, "0");
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}${colon}`);
}

const boolean: ValueOperator = {
  negated: false,
  matcher(policyValue) {
    const expected = policyValue.toLowerCase();
    if (expected !== "true" && expected !== "false") return undefined;
    return (value) => value.toLowerCase() === expected;
  },
};

const binary: ValueOperator = {
  negated: false,
  matcher(policyValue) {
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(policyValue)) {
      return undefined;
    }
    return (value) => value === policyValue;
  },
};

const network = (negated: boolean): ValueOperator => ({
  negated,
  matcher(policyValue) {
    const network = parseIpNetwork(policyValue);
    if (network === undefined) return undefined;
    return (value) => {
      const address = parseIpAddress(value);
      return address !== undefined && network.contains(address);
    };
  },
});

export const textOperators = {
  StringEquals: text(false),
  StringNotEquals: text(true),
  StringEqualsIgnoreCase: textIgnoringCase(false),
  StringNotEqualsIgnoreCase: textIgnoringCase(true),
  StringLike: pattern(false),
  StringNotLike: pattern(true),
  ArnEquals: arn(false),
  ArnNotEquals: arn(true),
  ArnLike: arn(false),
  ArnNotLike: arn(true),
} satisfies Record<string, TextOperator>;

export const valueOperators = {
  NumericEquals: ordered(parseNumber, false, equal),
  NumericNotEquals: ordered(parseNumber, true, equal),
  NumericLessThan: ordered(parseNumber, false, less),
  NumericLessThanEquals: ordered(parseNumber, false, lessOrEqual),
  NumericGreaterThan: ordered(parseNumber, false, greater),
  NumericGreaterThanEquals: ordered(parseNumber, false, greaterOrEqual),
  DateEquals: ordered(parseDate, false, equal),
  DateNotEquals: ordered(parseDate, true, equal),
  DateLessThan: ordered(parseDate, false, less),
  DateLessThanEquals: ordered(parseDate, false, lessOrEqual),
  DateGreaterThan: ordered(parseDate, false, greater),
  DateGreaterThanEquals: ordered(parseDate, false, greaterOrEqual),
  Bool: boolean,
  BinaryEquals: binary,
  IpAddress: network(false),
  NotIpAddress: network(true),
} satisfies Record<string, ValueOperator>;

type TextOperatorName = keyof typeof textOperators;
type ValueOperatorName = keyof typeof valueOperators;

/** `Null` asks whether the key is there, and compares nothing. */
export type ConditionOperator = TextOperatorName | ValueOperatorName | "Null";

export const conditionOperators: readonly ConditionOperator[] = [
  ...(Object.keys(textOperators) as TextOperatorName[]),
  ...(Object.keys(valueOperators) as ValueOperatorName[]),
  "Null",
];

const operatorsByLowerCase = new Map(
  conditionOperators.map((operator) => [operator.toLowerCase(), operator]),
);

/** Operators are found whatever their case. */
export function findConditionOperator(name: string): ConditionOperator | undefined {
  return operatorsByLowerCase.get(name.toLowerCase());
}

export function isTextOperator(operator: ConditionOperator): operator is TextOperatorName {
  return Object.hasOwn(textOperators, operator);
}

/** Whether a policy's value is of the operator's type. */
export function isValueOf(operator: ConditionOperator, value: string): boolean {
  if (isTextOperator(operator)) return true;
  const checked = operator === "Null" ? valueOperators.Bool : valueOperators[operator];
  return checked.matcher(value) !== undefined;
}
