#!/usr/bin/env python3
"""Writes the fixtures of `reverie evaluate`'s tests with NumPy; run by hand, output committed.

    python3 scripts/python/make_evaluate_fixtures.py

evaluate-NAME.npz: a case, as a user of NumPy would save it. evaluate-NAME-expected.npz: what the model of
check_evaluate.py makes of it in float64. evaluate-cases.json: the flags that go with each.
"""

import json
import pathlib

import numpy as np

from check_evaluate import WEIGHTS, backward, evaluate_flags, expected, loss_of, make_case, parse, rollout

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures"

SIZES = "--units 13 --inputs 3 --outputs 5 --encoder-inputs 4 --batch 5 --steps 11"
CASES = {
    # Everything a case may hold, and both second-order terms.
    "relu": SIZES,
    # float64 in the file; the activity term; not a multiple of anything.
    "tanh": "--units 7 --inputs 1 --outputs 1 --encoder-inputs 3 --batch 33 --steps 5 --activation tanh --dtype float64 "
    "--l2-activity 0.3",
    # Neither mask nor noise.
    "leaky": SIZES + " --activation leakyRelu --leaky-slope 0.1 --friction 1 --no-mask --no-noise",
    # The smallest sizes there are.
    "smallest": "--units 1 --inputs 1 --outputs 1 --encoder-inputs 1 --batch 1 --steps 1 --activation tanh --no-mask",
    # No target: neither loss nor gradients. No leak, no momentum, no adaptation.
    "identity": SIZES + " --activation identity --leak 0 --friction 1 --adapt-strength 0 --no-target --dtype float64",
}

# A unit this near to its kink could fall on the other side in float32, and its gradient with it.
KINK = 1e-4


def check_gradient(case, p):
    """The gradient written by hand, against central differences of the loss along random directions."""
    case = {name: array.astype(float) for name, array in case.items()}
    rng = np.random.default_rng(1)
    r, _, _, y, a = rollout(case, p)
    grad = backward(case, p, r, y, a)
    loss = lambda step: loss_of(*[rollout(case | step, p)[i] for i in (0, 3)], case, p)
    for name in WEIGHTS:
        direction = rng.standard_normal(case[name].shape)
        h = 1e-6
        difference = loss({name: case[name] + h * direction}) - loss({name: case[name] - h * direction})
        slope = (grad[name] * direction).sum()
        assert abs(difference / (2 * h) - slope) < 1e-7 * max(1, abs(slope)), name


def main():
    listing = []
    for name, words in CASES.items():
        for seed in range(100):
            p = parse([*words.split(), "--seed", str(seed)])
            case = make_case(p)
            want, a = expected(case, p)
            if np.abs(a).min() > KINK:
                break
        else:
            raise SystemExit(f"{name}: no seed without a unit at its kink")
        if p.target:
            check_gradient(case, p)
        np.savez_compressed(FIXTURES / f"evaluate-{name}.npz", **case)
        np.savez_compressed(FIXTURES / f"evaluate-{name}-expected.npz", **want)
        listing.append({"name": name, "flags": evaluate_flags(p)})
    (FIXTURES / "evaluate-cases.json").write_text(json.dumps(listing, indent=2) + "\n")


if __name__ == "__main__":
    main()
