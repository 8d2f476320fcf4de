import fs from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError, DiskError } from "../../src/errors.ts";
import { configHash, differingKeys } from "../../src/io/config-hash.ts";
import { formatCsv, parseCsv, readCsv, writeCsv } from "../../src/io/csv.ts";
import { canonicalJson, jsonLine, readJson, writeJson } from "../../src/io/json.ts";
import { JsonlAppender, readJsonl } from "../../src/io/jsonl.ts";
import { scratch, thrownBy, withFault } from "./io-helpers.ts";

const folder = scratch();

describe("jsonl", () => {
  const lines = (path: string) => fs.readFileSync(path, "utf8");

  it("appends and reads back", () => {
    const path = join(folder(), "train.jsonl");
    const log = new JsonlAppender(path);
    log.append({ iteration: 0, loss: Float32Array.of(0.5, 0.25) });
    log.append({ iteration: 10, loss: [Number.NaN, Infinity] });
    log.sync();
    log.close();
    expect(lines(path)).toBe('{"iteration":0,"loss":[0.5,0.25]}\n{"iteration":10,"loss":[null,null]}\n');
    expect(readJsonl(path)).toEqual([
      { iteration: 0, loss: [0.5, 0.25] },
      { iteration: 10, loss: [null, null] },
    ]);
    expect(() => log.append({})).toThrow("after it was closed");
  });

  it("cuts the torn line of a killed run, and goes on", () => {
    for (const torn of ['{"iteration":2', '{"itera\0\0\0\n', "\0\0\0\0"]) {
      const path = join(folder(), "train.jsonl");
      fs.writeFileSync(path, `{"iteration":0}\n{"iteration":1}\n${torn}`);
      const notices: string[] = [];
      expect(readJsonl(path, (text) => notices.push(text))).toHaveLength(2);
      expect(notices).toEqual([`${path}: line 3 is incomplete and was skipped`]);
      const log = new JsonlAppender(path);
      expect(log.lines).toBe(2);
      log.append({ iteration: 2 });
      log.close();
      expect(lines(path)).toBe('{"iteration":0}\n{"iteration":1}\n{"iteration":2}\n');
    }
  });

  it("keeps only the lines that the checkpoint counts", () => {
    const path = join(folder(), "train.jsonl");
    fs.writeFileSync(path, '{"iteration":0}\n{"iteration":1}\n{"iteration":2}\n');
    new JsonlAppender(path, 2).close();
    expect(lines(path)).toBe('{"iteration":0}\n{"iteration":1}\n');
    const log = new JsonlAppender(path, 5);
    expect(log.lines).toBe(2);
    log.close();
    new JsonlAppender(path, 0).close();
    expect(lines(path)).toBe("");
  });

  it("does not skip a broken line in the middle", () => {
    const path = join(folder(), "x.jsonl");
    fs.writeFileSync(path, "{}\n{broken\n{}\n");
    const error = thrownBy(() => readJsonl(path));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toContain("line 2 is not JSON");
  });

  it("takes a line back that did not fit on the disk", () => {
    const path = join(folder(), "train.jsonl");
    const log = new JsonlAppender(path);
    log.append({ iteration: 0 });
    let error: unknown;
    withFault(1, "short write", false, () => {
      error = thrownBy(() => log.append({ iteration: 1 }));
    });
    expect(error).toBeInstanceOf(DiskError);
    log.append({ iteration: 2 });
    log.close();
    expect(readJsonl(path)).toEqual([{ iteration: 0 }, { iteration: 2 }]);
  });
});

describe("csv", () => {
  it("quotes what RFC 4180 wants quoted, and nothing else", () => {
    const rows = [
      { name: 'say "hi", twice', value: 0.1, note: "two\nlines" },
      { name: "plain", value: Number.NaN, note: null },
      { name: "", value: -0, note: true },
    ];
    expect(formatCsv(["name", "value", "note"], rows)).toBe(
      'name,value,note\n"say ""hi"", twice",0.1,"two\nlines"\nplain,NaN,\n,0,true\n',
    );
  });

  it("comes back, whatever the text", () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab,"\n\r é') });
    fc.assert(
      fc.property(fc.array(fc.record({ a: text, "b,b": text }), { maxLength: 5 }), (rows) => {
        expect(parseCsv(formatCsv(["a", "b,b"], rows), "x.csv")).toEqual(rows);
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  it("reads what others write: CRLF, no last newline, empty last field", () => {
    expect(parseCsv("a,b\r\n1,2\r\n3,", "x.csv")).toEqual([
      { a: "1", b: "2" },
      { a: "3", b: "" },
    ]);
    expect(parseCsv("", "x.csv")).toEqual([]);
  });

  it("names the row that is wrong", () => {
    expect(thrownBy(() => parseCsv("a,b\n1,2\n3\n", "x.csv")).message).toBe("x.csv: row 2: expected 2 fields, found 1");
    expect(thrownBy(() => parseCsv('a,b\n1,2"\n', "x.csv"))).toBeInstanceOf(DataError);
    expect(() => formatCsv(["a"], [{ b: 1 }])).toThrow("no column b among a");
  });

  it("goes through a file", () => {
    const path = join(folder(), "metrics.csv");
    writeCsv(path, ["network", "loss"], [{ network: 0, loss: 0.25 }]);
    expect(readCsv(path)).toEqual([{ network: "0", loss: "0.25" }]);
  });
});

describe("json", () => {
  it("goes through a file", () => {
    const path = join(folder(), "x.json");
    writeJson(path, { a: [1], b: Float32Array.of(0.5) });
    expect(readJson(path)).toEqual({ a: [1], b: [0.5] });
    expect(jsonLine({ a: Uint8Array.of(1) })).toBe('{"a":[1]}\n');
  });

  it("says which file is not JSON", () => {
    const path = join(folder(), "config.json");
    fs.writeFileSync(path, "{oops");
    const error = thrownBy(() => readJson(path));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/config\.json: not JSON \([^\n]+\); [^\n]+$/);
  });

  it("has one spelling per value", () => {
    const value = fc.jsonValue();
    fc.assert(
      fc.property(value, (x) => {
        expect(JSON.parse(canonicalJson(x))).toEqual(JSON.parse(JSON.stringify(x)));
      }),
      { numRuns: 300, seed: 1 },
    );
    expect(canonicalJson({ b: [1, { d: null, c: "é" }], a: undefined })).toBe('{"b":[1,{"c":"é","d":null}]}');
    expect(() => canonicalJson({ a: Number.NaN })).toThrow("NaN has no place in JSON");
    expect(() => canonicalJson({ a: new Map() })).toThrow("not plain JSON");
  });
});

describe("configHash and differingKeys", () => {
  const config = { seeds: [0, 1], rnn: { leak: 0.5, units: 64 }, replay: { conditions: { plain: {} } } };

  it("does not care for the order of keys", () => {
    const reordered = { replay: config.replay, rnn: { units: 64, leak: 0.5 }, seeds: [0, 1] };
    expect(configHash(reordered)).toBe(configHash(config));
    expect(configHash(config)).toMatch(/^[0-9a-f]{64}$/);
    expect(configHash({})).toBe("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
  });

  it("cares for every value", () => {
    expect(configHash({ ...config, seeds: [1, 0] })).not.toBe(configHash(config));
  });

  it("names the paths that differ", () => {
    const other = {
      seeds: [0, 1, 2],
      rnn: { leak: 0.25, units: 64 },
      replay: { conditions: { plain: {}, momentum: { friction: 0.6 } } },
      name: "x",
    };
    expect(differingKeys(config, other)).toEqual(["name", "replay.conditions.momentum", "rnn.leak", "seeds"]);
    expect(differingKeys(other, config)).toEqual(differingKeys(config, other));
    expect(differingKeys(config, structuredClone(config))).toEqual([]);
    expect(differingKeys({ a: { b: 1 } }, { a: null })).toEqual(["a"]);
  });
});
