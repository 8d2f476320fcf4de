/**
 * Usage: node scripts/summarise-tests.mjs RESULTS STATUS
 *
 * Prints "N passed, N failed[, N skipped]" from vitest's JSON report and the exit status of its run, and exits 0 only
 * if something passed and nothing failed. A file that does not load, a crashed run or a missing report is one failure.
 */
import { readFileSync } from "node:fs";

const [resultsPath, status] = process.argv.slice(2);

function readReport() {
  try {
    return JSON.parse(readFileSync(resultsPath, "utf8"));
  } catch {
    return { testResults: [] };
  }
}

const files = readReport().testResults;
const outcomes = files.flatMap((file) => file.assertionResults.map((test) => test.status));
const count = (...wanted) => outcomes.filter((outcome) => wanted.includes(outcome)).length;

const passed = count("passed");
const skipped = count("skipped", "pending", "todo", "disabled");
const brokenFiles = files.filter(
  (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
).length;
let failed = count("failed") + brokenFiles;
if (failed === 0 && (status !== "0" || passed === 0)) failed = 1;

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exit(failed === 0 ? 0 : 1);
