"""One program a goal: each measures this tool and what it is compared with side by side, in one run.

`python -m benchmarks` runs all of them and writes `docs/performance.md`; `python -m benchmarks.burst` runs one. With
`--quick` the sizes are tiny: that shows that a program works, and measures nothing.
"""
