import { describe, expect, test } from "bun:test";
import { type PostgresAddress, parsePostgresUrl } from "./postgres-url.ts";

const plain: PostgresAddress = {
  ...{ host: "db.example", port: 5432, user: "anna", password: "", database: "portolan" },
  ...{ sslMode: "prefer", sslRootCertificate: undefined },
};

describe("parsePostgresUrl", () => {
  test("reads the forms that libpq knows", () => {
    expect(parsePostgresUrl("postgres://anna@db.example/portolan")).toEqual(plain);
    expect(parsePostgresUrl("postgresql://anna@db.example:6000/portolan")).toEqual({
      ...plain,
      port: 6000,
    });
    expect(
      parsePostgresUrl(
        "postgres://anna:p%40ss%3Aw%2F@[2001:db8::1]:6000/portolan?sslmode=verify-full&sslrootcert=/ca.pem",
      ),
    ).toEqual({
      ...plain,
      ...{ host: "2001:db8::1", port: 6000, password: "p@ss:w/" },
      ...{ sslMode: "verify-full", sslRootCertificate: "/ca.pem" },
    });
  });

  test("reads the directory of a unix socket", () => {
    const socket = { ...plain, host: "/run/postgresql" };
    expect(parsePostgresUrl("postgres://anna@/portolan?host=/run/postgresql")).toEqual(socket);
    expect(parsePostgresUrl("postgres://anna@%2Frun%2Fpostgresql/portolan")).toEqual(socket);
    expect(parsePostgresUrl("postgres://anna@/portolan?host=/run/postgresql&port=6000")).toEqual({
      ...socket,
      port: 6000,
    });
  });

  test("keeps a password with a colon whole", () => {
    expect(parsePostgresUrl("postgres://anna:a:b@h/d").password).toBe("a:b");
  });

  test.each([
    ["mysql://anna:secret@h/d", "must look like"],
    ["anna:secret@h/d", "must look like"],
    ["postgres://h/d?password=secret", "only host, port"],
    ["postgres://:secret@h/d", "no user"],
    ["postgres://anna:secret@h", "no database"],
    ["postgres://anna:secret@h/", "no database"],
    ["postgres://anna:secret%@h/d", "%25"],
    ["postgres://anna:secret@h:99999/d", "port"],
    ["postgres://anna:secret@h:0/d", "port"],
    ["postgres://anna:secret@h/d?port=x", "port"],
    ["postgres://anna:secret@h/d?sslmode=maybe", "sslmode must be one of"],
    ["postgres://anna:secret@[::1/d", "host"],
    ["postgres://anna:secret@h/d#secret", "must look like"],
    ["postgres://anna:secret/@h/d", "no user"],
  ])("refuses %s without repeating it", (url, reason) => {
    const parse = () => parsePostgresUrl(url);
    expect(parse).toThrow(reason);
    try {
      parse();
    } catch (error) {
      const texts = [String(error), JSON.stringify(error), String((error as Error).stack)];
      expect(texts.join("\n")).not.toContain("secret");
    }
  });
});
