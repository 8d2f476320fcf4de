"""Writes test/fixtures/metrics.json: the metrics of model.md section 8, computed with NumPy alone.

An independent witness for src/metrics: whole-array formulas (np.quantile, np.cov, np.linalg.lstsq, an SVD) where
the TypeScript has loops. Where SciPy is installed, kernel densities and one-dimensional Wasserstein distances are
checked against it as well before anything is written.

    python3 scripts/make-metric-fixtures.py
"""

import json
import math
from pathlib import Path

import numpy as np

TARGET = Path(__file__).parent.parent / "test" / "fixtures" / "metrics.json"

BASE, JUNCTION, LEFT, RIGHT = (0.0, -1.0), (0.0, 0.5), (-1.0, 0.5), (1.0, 0.5)
VERTICES = [(math.cos(math.radians(a)), math.sin(math.radians(a))) for a in (90, 210, 330)]

MAZES = {
    "tmaze": {
        "segments": [(BASE, JUNCTION), (JUNCTION, LEFT), (JUNCTION, RIGHT)],
        "goals": [LEFT, RIGHT],
        "rho": 0.3,
        "junction": JUNCTION,
        "regions": [BASE, JUNCTION, LEFT, RIGHT],
        "ends": [2, 3],
    },
    "triangle": {
        "segments": [(VERTICES[i], VERTICES[(i + 1) % 3]) for i in range(3)],
        "goals": VERTICES,
        "rho": 0.35,
        "junction": None,
        "regions": VERTICES + [tuple((np.array(VERTICES[i]) + VERTICES[(i + 1) % 3]) / 2) for i in range(3)],
        "ends": [],
    },
}


def first_inside(x, goals, rho):
    """x (rows, steps, 2), goals (rows, k, 2) -> first step, 1-based; inf = never."""
    d = np.linalg.norm(x[:, :, None, :] - goals[:, None, :, :], axis=-1).min(axis=-1)
    hit = d < rho
    return np.where(hit.any(axis=1), hit.argmax(axis=1) + 1.0, np.inf)


def reach_times(x, maze):
    goals = np.array(maze["goals"])
    if maze["junction"] is None:
        start = np.linalg.norm(x[:, :1] - goals[None], axis=-1).argmin(axis=1)
        return first_inside(x, goals[(start + 1) % len(goals)][:, None, :], maze["rho"])
    return first_inside(x, np.broadcast_to(goals, (len(x), *goals.shape)), maze["rho"])


def entropy(counts):
    p = counts[counts > 0] / max(counts.sum(), 1)
    return float(-(p * np.log(p)).sum())


def regions(x, maze):
    centres = np.array(maze["regions"])
    d = np.linalg.norm(x[:, :, None] - centres, axis=-1)
    label = np.where(d.min(axis=-1) < 0.35, d.argmin(axis=-1), -1)
    distinct, entries, arms, occupancy = [], [], [], []
    for row in label:
        inside = row[row >= 0]
        distinct.append(len(set(inside)))
        entries.append(1 + np.count_nonzero(np.diff(inside)) if len(inside) else 0)
        arms.append(len(set(inside) & set(maze["ends"])) >= 2)
        occupancy.append(entropy(np.bincount(inside, minlength=len(centres))))
    return {
        "regions": np.mean(distinct),
        "entries": np.mean(entries),
        "both_arms": np.mean(arms) if maze["ends"] else math.nan,
        "occupancy_entropy": np.mean(occupancy) / math.log(len(centres)),
    }


def coverage(x):
    cell = np.floor((x + 1.3) / 2.6 * 20).astype(int)
    ok = ((cell >= 0) & (cell < 20)).all(axis=-1)
    flat = cell[..., 1] * 20 + cell[..., 0]
    per_row = [len(set(f[o])) for f, o in zip(flat, ok)]
    return {"cells": np.mean(per_row), "coverage_entropy": entropy(np.bincount(flat[ok], minlength=400)) / math.log(400)}


def track(x, maze):
    bins = []
    for a, b in maze["segments"]:
        a, b = np.array(a), np.array(b)
        n = round(np.linalg.norm(b - a) / 0.1)
        bins += [a + (i + 0.5) / n * (b - a) for i in range(n)]
    d = np.linalg.norm(x[:, :, None] - np.array(bins), axis=-1)
    return (d.min(axis=1) < 0.15).mean(axis=1)


def off_path(x, maze):
    best = np.full(x.shape[:2], np.inf)
    for a, b in maze["segments"]:
        a, e = np.array(a), np.array(b) - np.array(a)
        f = np.clip(((x - a) @ e) / (e @ e), 0, 1)
        best = np.minimum(best, np.linalg.norm(x - a - f[..., None] * e, axis=-1))
    return best.mean()


def msd_exponent(x):
    lags = [l for l in (1, 2, 4, 8, 16) if l < x.shape[1]]
    msd = np.array([((x[:, l:] - x[:, :-l]) ** 2).sum(-1).mean() for l in lags])
    use = msd > 0
    if use.sum() < 2:
        return math.nan
    return np.polyfit(np.log(np.array(lags)[use]), np.log(msd[use]), 1)[0]


def speed(x, lag=5):
    return np.linalg.norm(x[:, lag:] - x[:, :-lag], axis=-1).mean() / lag if x.shape[1] > lag else math.nan


def autocorrelation(x, lag=10):
    if x.shape[1] <= lag:
        return math.nan
    c = x - x.mean(axis=1, keepdims=True)
    total = (c * c).sum()
    return (c[:, lag:] * c[:, :-lag]).sum() / total if total > 0 else math.nan


def sliced_wasserstein(a, b, p=1):
    q = (np.arange(512) + 0.5) / 512
    out = []
    for j in range(64):
        theta = math.pi * (j + 0.5) / 64
        u = np.array([math.cos(theta), math.sin(theta)])
        gap = np.abs(np.quantile(a @ u, q) - np.quantile(b @ u, q))
        out.append((gap**p).mean() ** (1 / p))
    return float(np.mean(out))


def spread_indices(n, count):
    if count >= n:
        return np.arange(n)
    stride = max(1, math.floor(n * (math.sqrt(5) - 1) / 2 + 0.5))
    while math.gcd(stride, n) != 1:
        stride += 1
    return np.arange(count) * stride % n


class Density:
    def __init__(self, points):
        self.centres = points[spread_indices(len(points), 2000)]
        n = len(self.centres)
        self.covariance = np.cov(self.centres.T) * n ** (-2 / 6)
        s = self.covariance
        self.exists = s[0, 0] * s[1, 1] - s[0, 1] ** 2 > 1e-12 * np.trace(s) ** 2

    def log(self, at):
        inverse = np.linalg.inv(self.covariance)
        d = at[:, None] - self.centres[None]
        q = np.einsum("ijk,kl,ijl->ij", d, inverse, d)
        p = np.exp(-q / 2).mean(axis=1) / (2 * math.pi * math.sqrt(np.linalg.det(self.covariance)))
        return np.log(np.maximum(p, 1e-12))

    def draw(self, count=2000):
        root = max(r.real for r in np.roots([1, 0, 0, -1, -1]) if abs(r.imag) < 1e-12)
        u = (0.5 + np.arange(1, count + 1)[:, None] / root ** np.arange(1, 4)) % 1
        radius = np.sqrt(-2 * np.log(1 - u[:, 1]))
        z = np.stack([radius * np.cos(2 * np.pi * u[:, 2]), radius * np.sin(2 * np.pi * u[:, 2])], axis=1)
        kernel = np.floor(u[:, 0] * len(self.centres)).astype(int)
        return self.centres[kernel] + z @ np.linalg.cholesky(self.covariance).T


def kl(p, q, points):
    return (p.log(points) - q.log(points)).mean()


def cmi(r, lag):
    """r (rows, steps, units) -> I(z_{t+1}; z_{t-lag} | z_t) / d on the d = min(8, units) leading components."""
    rows, steps, units = r.shape
    d = min(8, units)
    flat = r.reshape(-1, units)
    _, _, vt = np.linalg.svd(flat - flat.mean(0), full_matrices=False)
    z = ((flat - flat.mean(0)) @ vt[:d].T).reshape(rows, steps, d)
    now, past, after = z[:, lag:-1], z[:, : -lag - 1], z[:, lag + 1 :]
    now, past, after = (a.reshape(-1, d) for a in (now, past, after))
    one = np.ones((len(now), 1))

    def log_det(columns):
        design = np.hstack([one, *columns])
        residual = after - design @ np.linalg.lstsq(design, after, rcond=None)[0]
        return np.linalg.slogdet(residual.T @ residual / len(after))[1]

    return 0.5 * (log_det([now]) - log_det([now, past])) / d


def laps(x):
    angle = np.unwrap(np.arctan2(x[..., 1], x[..., 0]), axis=1)
    return (angle[:, -1] - angle[:, 0]) / (2 * math.pi)


def expected(x, awake, maze):
    """Everything of one condition; x and awake (rows, steps, 2)."""
    rows, steps, _ = x.shape
    times, awake_times = reach_times(x, maze), reach_times(awake, maze)
    out = {
        "reach_median": np.median(times),
        "reach_fraction": np.isfinite(times).mean(),
        "reach_rmean": np.minimum(times, steps).mean(),
        "speed5": speed(x),
        "path_length": np.linalg.norm(np.diff(x, axis=1), axis=-1).sum(axis=1).mean(),
        "msd_exponent": msd_exponent(x),
        "output_variance": x.var(axis=1, ddof=1).sum(axis=-1).mean() if steps > 1 else math.nan,
        "autocorrelation10": autocorrelation(x),
        "track": track(x, maze).mean(),
        "offpath": off_path(x, maze),
        "laps": math.nan,
        "abs_laps": math.nan,
        "junction_median": math.nan,
        **regions(x, maze),
        **coverage(x),
    }
    if maze["junction"] is None:
        out["laps"], out["abs_laps"] = laps(x).mean(), np.abs(laps(x)).mean()
    else:
        goals = np.broadcast_to(np.array(maze["junction"]), (rows, 1, 2))
        out["junction_median"] = np.median(first_inside(x, goals, maze["rho"]))
    finite = np.isfinite(out["reach_median"]) and np.isfinite(np.median(awake_times))
    out["compression_reach"] = np.median(awake_times) / out["reach_median"] if finite else math.nan
    out["compression_speed"] = out["speed5"] / speed(awake)
    cloud, awake_cloud = x.reshape(-1, 2), awake.reshape(-1, 2)
    out["sw"] = sliced_wasserstein(cloud, awake_cloud)
    out["sw_T"] = sliced_wasserstein(x[:, : awake.shape[1]].reshape(-1, 2), awake_cloud)
    out["kde_kl"] = out["kde_kl_plugin"] = math.nan
    # A single point has no covariance at all.
    if len(cloud) > 1 and Density(cloud).exists:
        p, q = Density(cloud), Density(awake_cloud)
        out["kde_kl"], out["kde_kl_plugin"] = kl(p, q, p.draw()), kl(p, q, p.centres)
    return out, times


def runs(rng, corners, rows, steps, step_length, jitter, closed=False):
    """Runs along corners at constant speed, waiting at the end (open) or going round (closed)."""
    out = np.empty((rows, steps, 2))
    for r in range(rows):
        route = corners[rng.integers(len(corners))]
        points = np.array(route + [route[0]] if closed else route)
        at = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
        q = step_length * (1 + 0.2 * rng.standard_normal()) * np.arange(1, steps + 1)
        q = q % at[-1] if closed else np.minimum(q, at[-1])
        out[r] = np.stack([np.interp(q, at, points[:, k]) for k in range(2)], axis=1)
    return out + jitter * rng.standard_normal(out.shape)


def check_against_scipy(cases):
    try:
        from scipy.stats import gaussian_kde, wasserstein_distance
    except ImportError:
        print("SciPy is not installed: NumPy is the only witness.")
        return
    for case in cases:
        points = np.array(case["positions"]).reshape(-1, 2)
        if len(points) < 3 or len(points) > 2000 or not Density(points).exists:
            continue
        own = Density(points).log(points)
        theirs = np.log(np.maximum(gaussian_kde(points.T)(points.T), 1e-12))
        np.testing.assert_allclose(own, theirs, rtol=1e-9)
    # Quantiles at 512 places are an approximation of W_1; with 512 points on either side they differ little.
    a, b = np.random.default_rng(5).standard_normal((2, 512))
    q = (np.arange(512) + 0.5) / 512
    near = np.abs(np.quantile(a, q) - np.quantile(b, q)).mean()
    assert abs(near - wasserstein_distance(a, b)) < 0.01, near
    print("SciPy agrees.")


def main():
    rng = np.random.default_rng(20260218)
    t_routes = [[BASE, JUNCTION, LEFT], [BASE, JUNCTION, RIGHT]]
    laps_routes = [[*VERTICES[i:], *VERTICES[:i]] for i in range(3)]
    t_awake = runs(rng, t_routes, 12, 30, 0.1, 0.03)
    laps_awake = runs(rng, laps_routes, 12, 30, 0.1299, 0.03, closed=True)
    walk = np.cumsum(0.15 * rng.standard_normal((5, 40, 2)), axis=1) + np.array([0, -0.5])
    inputs = [
        ("T-maze runs", "tmaze", t_awake, runs(rng, t_routes, 6, 45, 0.08, 0.05)),
        ("T-maze, both arms", "tmaze", t_awake, runs(rng, [[BASE, JUNCTION, LEFT, RIGHT, BASE]], 3, 60, 0.12, 0.04)),
        ("random walk on the T-maze", "tmaze", t_awake, walk),
        ("triangle laps", "triangle", laps_awake, runs(rng, laps_routes, 6, 60, 0.16, 0.05, closed=True)),
        ("triangle, clockwise", "triangle", laps_awake, runs(rng, [r[::-1] for r in laps_routes], 4, 50, 0.1, 0.02, closed=True)),
        ("random walk on the triangle", "triangle", laps_awake, walk[:, ::-1].copy()),
        ("constant", "tmaze", t_awake, np.full((3, 20, 2), 0.25)),
        ("never arrives", "tmaze", t_awake, np.array(BASE) + 0.02 * rng.standard_normal((4, 25, 2))),
        ("one step", "tmaze", t_awake, np.array(RIGHT) + 0.1 * rng.standard_normal((5, 1, 2))),
        ("one step, one row", "triangle", laps_awake, np.array([[[0.1, 0.2]]])),
        ("on a line", "tmaze", t_awake, np.stack([np.zeros((2, 30)), np.linspace([-1, -0.9], [0.5, 0.6], 30).T], -1)),
    ]
    cases = []
    for name, maze, awake, x in inputs:
        x, awake = np.round(x, 4), np.round(awake, 4)
        values, times = expected(x, awake, MAZES[maze])
        cases.append({"name": name, "maze": maze, "positions": x, "awake": awake, "metrics": values, "reachTimes": times})
    cases_of_density = [{"positions": c["positions"]} for c in cases]
    check_against_scipy(cases_of_density)

    # Larger than the 2000 points that a density keeps, so that the choice of points is tested too.
    big, other = np.round(rng.standard_normal((2, 2500, 2)) @ [[0.6, 0.1], [0, 0.3]], 4)
    p, q = Density(big), Density(other)
    clouds = {
        "a": big,
        "b": other,
        "kde_kl": kl(p, q, p.draw()),
        "kde_kl_plugin": kl(p, q, p.centres),
        "sw1": sliced_wasserstein(big, other),
        "sw2": sliced_wasserstein(big, other, p=2),
    }

    # An order-two process: the past tells more than the present.
    r = np.zeros((4, 120, 12))
    mix = rng.standard_normal((12, 12)) / 12**0.5
    for t in range(2, 120):
        r[:, t] = 0.5 * r[:, t - 1] @ mix + 0.35 * r[:, t - 2] + 0.1 * rng.standard_normal((4, 12))
    r = np.round(r, 5)
    small = np.round(r[:, :, :3], 5)
    states = [{"values": s, "cmi": {str(lag): cmi(s, lag) for lag in (1, 5)}} for s in (r, small)]

    def plain(value):
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items()}
        if isinstance(value, np.ndarray):
            return plain(value.tolist())
        if isinstance(value, (list, tuple)):
            return [plain(v) for v in value]
        if isinstance(value, (float, np.floating)):
            # JSON has neither NaN nor infinity.
            return "nan" if math.isnan(value) else "inf" if math.isinf(value) else float(value)
        return value

    text = json.dumps(plain({"cases": cases, "clouds": clouds, "states": states}), separators=(",", ":"), ensure_ascii=False)
    TARGET.write_text(text + "\n", encoding="utf-8")
    print(f"{TARGET}: {len(cases)} cases, {len(text) / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
