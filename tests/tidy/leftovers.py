"""What must not stay behind in a repository that others read."""
import os
import re

from source_tree import CPP, Findings

# Written in two pieces, because this file is searched, too.
UNFINISHED = re.compile(r"\b(?:" + "|".join(("FIX" "ME", "XX" "X", "TO" "DO")) + r")\b")
NOT_RUN = re.compile("|".join(("\\bDIS" "ABLED_", "GTEST_" "SKIP", "unittest\\.sk" "ip", "self\\.skip" "Test")))
WAITING_BY_SLEEP = {
    ".cpp": re.compile(r"\bthis_thread::sleep|\busleep\s*\(|\bnanosleep\s*\(|(?<![\w.>])::sleep\s*\("),
    ".py": re.compile(r"\btime\.sleep\s*\("),
}
WAITING_BY_SLEEP[".h"] = WAITING_BY_SLEEP[".cpp"]
NAMELESS = re.compile(r"(?:^|[_-])(util|utils|helper|helpers|common|manager|misc)(?:$|[_-])", re.IGNORECASE)
PRODUCT = ("base/", "api/", "reconcilers/", "controller/", "cli/", "sim/")
IS_PROGRAM = re.compile(r"^int main\(", re.MULTILINE)

ABSOLUTE_PATH = re.compile(r"(?<![\w.:~$})>*-])(?<!/)/[A-Za-z][\w.-]*(?:/[\w.-]*[\w-])+")
EVERYWHERE = {"bin", "boot", "dev", "etc", "lib", "lib64", "opt", "proc", "run", "sbin", "sys", "usr", "var"}
SOMEBODYS = re.compile(r"^/(?:home|Users)/\w|^/root/\w")


def is_of_one_machine(path, root):
    """A home, a path of this checkout, or one that exists here although no standard says so."""
    if SOMEBODYS.match(path):
        return True
    unusual = path.split("/")[1] not in EVERYWHERE or path.startswith(root + "/")
    return unusual and os.path.exists(path)


def check_lines(root, path, text, findings):
    kind = os.path.splitext(path)[1]
    sleeping = WAITING_BY_SLEEP.get(kind) if path.startswith("tests/") else None
    for number, line in enumerate(text.split("\n"), 1):
        if "\r" in line:
            findings.add(path, number, "ends in a carriage return")
        elif line != line.rstrip():
            findings.add(path, number, "ends in blanks")
        if "\t" in line:
            findings.add(path, number, "has a tab")
        if match := UNFINISHED.search(line):
            findings.add(path, number, f"is unfinished: {match[0]}")
        if match := NOT_RUN.search(line):
            findings.add(path, number, f"has a test that does not run: {match[0]}")
        if sleeping and (match := sleeping.search(line)):
            findings.add(path, number, f"sleeps: {match[0]}")
        for found in ABSOLUTE_PATH.findall(line):
            if is_of_one_machine(found, root):
                findings.add(path, number, "names a path of one machine")


def check_source(path, text, findings):
    if path.endswith(".h") and not re.search(r"^#pragma once$", text, re.MULTILINE):
        findings.add(path, 1, "has no #pragma once")
    if path.startswith(PRODUCT) and not IS_PROGRAM.search(text):
        for number, line in enumerate(text.split("\n"), 1):
            if re.search(r"\bstd::(cout|cerr)\b", line):
                findings.add(path, number, "writes to the process's own streams, which only a program may")


def is_built(tree, path):
    """Some CMakeLists.txt of its folder or above names it, or takes all of a folder."""
    folder = os.path.dirname(path)
    while True:
        listing = tree.texts.get(os.path.join(folder, "CMakeLists.txt"), "")
        name = os.path.relpath(path, folder or ".")
        words = re.split(r"[\s()\"]+", listing)
        if name in words or ("/" not in name and any(word.endswith("*.cpp") for word in words)):
            return True
        if not folder:
            return False
        folder = os.path.dirname(folder)


def check(tree):
    findings = Findings(tree.texts)
    included = {name for path in tree.sources() for _, system, name in tree.includes(path) if not system}
    for path, text in tree.texts.items():
        if NAMELESS.search(os.path.splitext(os.path.basename(path))[0]):
            findings.add(path, 1, "has no name of its own")
        check_lines(tree.root, path, text, findings)
        if path.endswith(CPP):
            check_source(path, text, findings)
        if path.endswith(".h") and path not in included:
            findings.add(path, 1, "is included by nothing")
        if path.endswith(".cpp") and not is_built(tree, path):
            findings.add(path, 1, "is built by nothing")
    return findings
