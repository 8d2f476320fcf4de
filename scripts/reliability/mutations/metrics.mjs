/** Bugs in what a sweep runs and measures. */
const STATS = "shaders/metrics/path_stats.wgsl";
const rows = { tests: ["test/kernel/path-metrics.test.ts"] };
const clouds = { tests: ["test/kernel/occupancy.test.ts"] };
const sweep = (only) => ({ tests: ["test/sweep/determinism.test.ts"], only });

export const METRICS = [
  { name: "a lag too early", file: STATS, find: "if (t <= lag) {", replace: "if (t < lag) {", ...rows },
  {
    name: "lag 5 measured over 4",
    file: STATS,
    find: "square_step(row, t, 5u, p)",
    replace: "square_step(row, t, 4u, p)",
    ...rows,
  },
  {
    name: "half of the tail kept between windows",
    file: STATS,
    find: "max(end, TAIL) - TAIL)",
    replace: "max(end, 8u) - 8u)",
    ...rows,
  },
  {
    name: "far away does not count as diverged",
    file: STATS,
    find: "(!finite || is_away(p))",
    replace: "!finite",
    ...rows,
  },
  {
    name: "arrival forgets its first step",
    file: STATS,
    find: "own.reach == 0u && has_arrived",
    replace: "has_arrived",
    ...rows,
  },
  {
    name: "entropy in bits",
    file: "shaders/metrics/path_finish.wgsl",
    find: "fma(-p, log_f(p), entropy)",
    replace: "fma(-p, 1.442695 * log_f(p), entropy)",
    ...rows,
  },
  {
    name: "diverged rows in the pooled cloud",
    file: "shaders/metrics/pool_occupancy.wgsl",
    find: "count += select(0u, steps, stats[row0 + r].diverged == 0u);",
    replace: "count += steps;",
    ...clouds,
  },
  {
    name: "conditions and networks swapped in the pool",
    file: "shaders/metrics/pool_occupancy.wgsl",
    find: "let network = cloud / cloud_pass.conditions;\n  let condition = cloud % cloud_pass.conditions;",
    replace:
      "let condition = cloud / (cloud_pass.clouds / cloud_pass.conditions);\n  let network = cloud % (cloud_pass.clouds / cloud_pass.conditions);",
    ...clouds,
  },
  {
    name: "the awake cloud of the launch's first network",
    file: "shaders/lib/awake_cloud.wgsl",
    find: "(cloud_pass.network0 + cloud / cloud_pass.conditions)",
    replace: "(cloud / cloud_pass.conditions)",
    ...clouds,
  },
  {
    name: "gaps of the first direction for all",
    file: "shaders/metrics/sliced_wasserstein.wgsl",
    find: "cell_gaps[direction * CELLS + i]",
    replace: "cell_gaps[i]",
    ...clouds,
  },
  {
    name: "divergence the other way round",
    file: "shaders/metrics/binned_kl.wgsl",
    find: "log_density(replay, at) - log_density(awake, at)",
    replace: "log_density(awake, at) - log_density(replay, at)",
    ...clouds,
  },
  {
    name: "grid: the first axis the fastest",
    file: "src/sweep/grid.ts",
    find: "out = out.flatMap((own) => values.map((value) => ({ ...own, [parameter]: value })));",
    replace: "out = values.flatMap((value) => out.map((own) => ({ ...own, [parameter]: value })));",
    tests: ["test/sweep/grid.test.ts"],
  },
  {
    name: "grid: a range that stops before its end",
    file: "src/sweep/grid.ts",
    find: "count > 1 ? i / (count - 1) : 0",
    replace: "i / count",
    tests: ["test/sweep/grid.test.ts"],
  },
  {
    name: "conditions of a later launch are those of the first",
    file: "src/sweep/spec.ts",
    find: "(_, c) => c + from)",
    replace: "(_, c) => c)",
    ...sweep("in 2 parts"),
  },
  {
    name: "unpaired conditions share their noise",
    file: "src/sweep/spec.ts",
    find: "epoch: d.pairedNoise ? 0 : condition,",
    replace: "epoch: 0,",
    tests: ["test/sweep/measures.test.ts"],
  },
  {
    name: "positions of a launch at the place of the first",
    file: "src/sweep/launch.ts",
    find: "const row0 = (launch.condition0 - condition0) * o.repeats;",
    replace: "const row0 = 0;",
    ...sweep("positions"),
  },
  {
    name: "records of networks and conditions swapped",
    file: "src/sweep/path-metrics.ts",
    find: "network * c.rowsPerNetwork + condition * c.repeats + repeat;",
    replace: "network * c.rowsPerNetwork + repeat * c.conditions + condition;",
    ...clouds,
  },
  {
    name: "diverged rollouts in the means",
    file: "src/sweep/aggregate.ts",
    find: "const sound = rows.filter((r) => r.diverged === 0);",
    replace: "const sound = rows;",
    tests: ["test/unit/sweep-aggregate.test.ts"],
    only: "",
  },
  {
    name: "never counts as T + 1",
    file: "src/sweep/aggregate.ts",
    find: "reach.map((t) => Math.min(t, steps));",
    replace: "reach.map((t) => Math.min(t, steps + 1));",
    tests: ["test/unit/sweep-aggregate.test.ts"],
    only: "",
  },
];
