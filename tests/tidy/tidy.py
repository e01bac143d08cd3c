"""Checks of the sources as text: `tidy.py layers ROOT`, `tidy.py leftovers ROOT`, `tidy.py runbook ROOT`, `tidy.py selftest`.

Prints each finding as FILE:LINE: TEXT and a closing line; the exit code is 1 when anything was found.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import layers
import leftovers
import runbook
import selftest
from source_tree import SourceTree

CHECKS = {"layers": layers.check, "leftovers": leftovers.check, "runbook": runbook.check}


def main(arguments):
    if arguments == ["selftest"]:
        return selftest.run(CHECKS)
    if len(arguments) != 2 or arguments[0] not in CHECKS:
        print(__doc__, file=sys.stderr)
        return 2
    findings = CHECKS[arguments[0]](SourceTree(arguments[1]))
    for line in findings.lines:
        print(line)
    print(findings.summary())
    return 1 if findings.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
