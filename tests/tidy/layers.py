"""Includes point down the layers, never up or sideways."""
import re

from source_tree import CPP, Findings

# What has no Asio, clock, thread or file: the only part of base/ that the API's values and the pure core may see.
VOCABULARY = {f"base/{name}.h" for name in ("error", "hash", "id", "random", "secret", "secret_memory", "time", "time_zone", "posix_time_zone")}

GENERATED = "keyturn/"  # headers that protoc writes at build time

# Headers of the system that would let the pure core wait, ask the time, roll dice or touch a file.
IMPURE = re.compile(r"^(boost/(asio|beast)|spdlog|grpc|google/|openssl/rand|sys/|unistd|fcntl|thread|mutex|atomic|condition_variable|future|semaphore|"
                    r"random$|fstream|filesystem|iostream|ctime|cstdlib)")


def pure_files(tree):
    """The sources of the pure target, their headers, and every header without a source of its own that those reach."""
    listing = tree.texts.get("reconcilers/rotation/CMakeLists.txt", "")
    match = re.search(r"set\(rotation_pure_sources\s+([^)]*)\)", listing)
    names = match[1].split() if match else []
    pure = set()
    for name in names:
        path = "reconcilers/rotation/" + name
        pure |= {path, path[: -len(".cpp")] + ".h"} & tree.texts.keys()
    waiting = sorted(pure)
    while waiting:
        for _, system, included in tree.includes(waiting.pop()):
            has_source = included[:-2] + ".cpp" in tree.texts
            if not system and included.startswith("reconcilers/") and included in tree.texts and not has_source and included not in pure:
                pure.add(included)
                waiting.append(included)
    return pure


def allowed(path, pure):
    """The prefixes and whole names that a file may include, or None for those that may include everything."""
    top, _, rest = path.partition("/")
    if top == "base":
        return VOCABULARY if path in VOCABULARY else {"base/"}
    if top == "api":
        return {"api/"} | VOCABULARY
    if path in pure:
        return {"api/"} | VOCABULARY | pure
    if top == "reconcilers":
        folder, inside, _ = rest.partition("/")
        if not inside:
            return {"base/", "api/"} if folder == "reconciler.h" else {"base/", "api/", "reconcilers/"}
        if folder in ("rotation", "environment"):
            return {"base/", "api/", "reconcilers/reconciler.h", "reconcilers/rotation/", f"reconcilers/{folder}/"}
        return {"base/", "api/", "reconcilers/rotation/", "reconcilers/wire/", f"reconcilers/{folder}/"}
    if top == "controller":
        folder, inside, _ = rest.partition("/")
        if not inside:
            return {"base/", "api/", "reconcilers/", "controller/", GENERATED}
        if folder == "runtime":
            return {"base/", "api/", "reconcilers/reconciler.h", "controller/runtime/"}
        return {"base/", "api/", "controller/runtime/", f"controller/{folder}/", GENERATED}
    if top == "cli":
        return {"base/", "api/", "cli/", GENERATED}
    if top == "sim":
        return {"base/", "sim/"}
    return None


def permits(names, included):
    return any(included == name or (name.endswith("/") and included.startswith(name)) for name in names)


def check(tree):
    findings = Findings(tree.sources())
    pure = pure_files(tree)
    if not pure:
        findings.add("reconcilers/rotation/CMakeLists.txt", 1, "names no rotation_pure_sources")
    for path in tree.sources():
        names = allowed(path, pure)
        for line, system, included in tree.includes(path):
            if system:
                if path in pure and IMPURE.match(included):
                    findings.add(path, line, f"is pure and includes <{included}>")
            elif not included.startswith(GENERATED) and included not in tree.texts:
                findings.add(path, line, f'includes "{included}", which is no path from the root of the repository')
            elif included.endswith(CPP[0]):
                findings.add(path, line, f'includes a source, "{included}"')
            elif names is not None and not permits(names, included):
                kind = "is pure and " if path in pure else ""
                findings.add(path, line, f'{kind}includes "{included}" against the layers')
    return findings
