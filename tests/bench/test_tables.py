#!/usr/bin/env python3
"""Tests of all.py: ratios, groups and what its exit status says, from figures that are given."""
import contextlib
import io
import json
import os
import sys
import tempfile
import unittest
from unittest import mock

import all as all_benchmarks  # the script; the built-in function is not used here
import bench_common

RUNNERS = ["reprise jit", "QEMU tcg", "native"]


def row(name, group, seconds, mismatch=False):
    return {"name": name, "group": group, "seconds": dict(zip(RUNNERS, seconds)), "checksums": {},
            "problems": {}, "mismatch": mismatch}


def result_of(*rows):
    return {"host": "a host", "reference": "QEMU 0", "cpu": "qemu32", "rounds": 5,
            "runners": RUNNERS, "programs": list(rows)}


def tables(results):
    """(what all.py prints of kept figures, its exit status)."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "figures.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(results, file)
        output = io.StringIO()
        with mock.patch.object(sys, "argv", ["all.py", "--from", path]):
            with contextlib.redirect_stdout(output):
                try:
                    all_benchmarks.main()
                except SystemExit as end:
                    return output.getvalue(), end.code
    return output.getvalue(), None


class Tables(unittest.TestCase):
    def test_groups(self):
        text, status = tables({
            "linux": result_of(row("first", "integer", [1.0, 4.0, 0.5]),
                               row("second", "integer", [2.0, 2.0, 1.0]),
                               row("boot", "-", [1.0, 9.0, None])),
            "bare": result_of(row("third", "real", [0.1, 0.9, None])),
        })
        self.assertEqual(status, 0)
        self.assertIn("| first | integer | 1.000 s | 4.000 s | 0.500 s | 4.00 | 2.00 |", text)
        self.assertIn("| integer (2) | 2.00 | 2 | 1.00 (second) | 2.00 | 4.00 |", text)
        self.assertIn("| 16-bit (1) | 9.00 | 3 | 9.00 (third) | - | - |", text)
        self.assertIn("| all (3) | 3.30 | 5 | 1.00 (second) | 2.00 | 4.00 |", text)
        self.assertNotIn("| boot |", text)

    def test_boots(self):
        text, _ = tables({"boots": result_of(row("bios", "boots", [1.0, 3.0, None]),
                                             row("lost", "boots", [1.0, None, None]))})
        self.assertIn("| bios | 1.000 s | 3.000 s | - | 3.00 |", text)
        self.assertIn("Geometric mean of the boots: 3.00", text)

    def test_different_checksums(self):
        text, status = tables({"bare": result_of(row("wrong", "memory", [1, 1, None], True))})
        self.assertEqual(status, 1)
        self.assertIn("CHECKSUMS DIFFER", text)

    def test_start(self):
        figures = {"first instruction, ms": {"median": 20.04, "least": 10.0},
                   "Linux, MB beyond the guest's": {"median": None}}
        text, _ = tables({"start": {**result_of(), "runners": RUNNERS[:1],
                                    "results": {RUNNERS[0]: figures}}})
        self.assertIn("| first instruction, ms | 20.0 (least 10.0) | 30 |", text)
        self.assertIn("| Linux, MB beyond the guest's | - | 100 |", text)


class Summary(unittest.TestCase):
    def test_overhead_is_subtracted(self):
        runs = {name: {"a": [bench_common.Run("X", seconds) for seconds in times]}
                for name, times in {"empty": [0.5], "work": [2.5, 1.5, 9.5]}.items()}
        rows = bench_common.summarize(runs, ["a"], "empty")
        self.assertEqual([entry["seconds"]["a"] for entry in rows], [0.5, 2.0])
        rows = bench_common.summarize(runs, ["a"])
        self.assertEqual([entry["seconds"]["a"] for entry in rows], [0.5, 2.5])

    def test_checksums_are_compared(self):
        runs = {"work": {"a": [bench_common.Run("X", 1.0)], "b": [bench_common.Run("Y", 1.0)]}}
        self.assertTrue(bench_common.summarize(runs, ["a", "b"])[0]["mismatch"])
        self.assertFalse(bench_common.summarize(runs, ["a"])[0]["mismatch"])


if __name__ == "__main__":
    unittest.main()
