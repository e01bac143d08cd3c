"""The checks on trees with one planted fault each: each must be named, and the sound tree must pass."""
import os
import sys
import tempfile

from source_tree import SourceTree

SOUND = {
    "base/error.h": "#pragma once\n",
    "base/task.h": '#pragma once\n#include <boost/asio/awaitable.hpp>\n#include "base/error.h"\n',
    "base/context.h": '#pragma once\n#include "base/task.h"\n',
    "base/CMakeLists.txt": "keyturn_layer(keyturn_base error.cpp)\n",
    "base/error.cpp": '#include "base/error.h"\n\n#include "base/context.h"\n',
    "api/secret_rotation.h": '#pragma once\n#include "base/error.h"\n',
    "reconcilers/reconciler.h": '#pragma once\n#include "base/task.h"\n',
    "reconcilers/catalog.h": '#pragma once\n#include "reconcilers/rotation/systems.h"\n#include "reconcilers/redis/resp.h"\n',
    "reconcilers/redis/resp.h": '#pragma once\n#include "reconcilers/rotation/systems.h"\n',
    "reconcilers/rotation/CMakeLists.txt": "set(rotation_pure_sources\n    plan.cpp)\nkeyturn_layer(keyturn_rotation ${rotation_pure_sources})\n",
    "reconcilers/rotation/plan.h": '#pragma once\n#include "api/secret_rotation.h"\n#include "reconcilers/rotation/observation.h"\n',
    "reconcilers/rotation/plan.cpp": '#include "reconcilers/rotation/plan.h"\n',
    "reconcilers/rotation/facts.h": '#pragma once\n#include "api/secret_rotation.h"\n',
    "reconcilers/rotation/observation.h": '#pragma once\n#include "reconcilers/rotation/facts.h"\n',
    "reconcilers/rotation/systems.h": '#pragma once\n#include "base/task.h"\n#include "reconcilers/rotation/facts.h"\n',
    "controller/runtime/queue.h": '#pragma once\n#include "reconcilers/reconciler.h"\n',
    "controller/embedded/server.h": '#pragma once\n#include "controller/runtime/queue.h"\n',
    "controller/server/gateway.h": '#pragma once\n#include "controller/runtime/queue.h"\n#include "keyturn/v1alpha1/rotation.pb.h"\n',
    "controller/CMakeLists.txt": "add_executable(keyturn-controller main.cpp)\n",
    "controller/app.h": '#pragma once\n#include "controller/embedded/server.h"\n#include "controller/server/gateway.h"\n#include "reconcilers/catalog.h"\n',
    "controller/main.cpp": '#include "controller/app.h"\n\nint main() {}\n',
    "cli/CMakeLists.txt": "add_executable(keyturn main.cpp)\n",
    "cli/main.cpp": '#include "api/secret_rotation.h"\n\nint main() { std::cout << 1; }\n',
    "sim/CMakeLists.txt": "file(GLOB sources *.cpp)\n",
    "sim/main.cpp": '#include "base/context.h"\n\nint main() {}\n',
    "tests/unit/CMakeLists.txt": "keyturn_test(unit plan_test.cpp)\n",
    "tests/unit/plan_test.cpp": '#include "controller/app.h"\n#include "reconcilers/rotation/plan.h"\n',
    "docs/page.md": "Text of a page: /usr/bin/env, /apis/keyturn.dev/v1alpha1.\n",
}

# check, the file that is changed, what is appended to it (None: it is left out), and what the finding must say.
PLANTED = [
    ("layers", "base/error.cpp", '#include "api/secret_rotation.h"\n', "against the layers"),
    ("layers", "base/error.h", '#include "base/task.h"\n', "against the layers"),
    ("layers", "api/secret_rotation.h", '#include "base/task.h"\n', "against the layers"),
    ("layers", "api/secret_rotation.h", '#include "reconcilers/rotation/plan.h"\n', "against the layers"),
    ("layers", "reconcilers/rotation/plan.cpp", '#include "base/task.h"\n', "is pure and includes"),
    ("layers", "reconcilers/rotation/plan.h", '#include "base/context.h"\n', "is pure and includes"),
    ("layers", "reconcilers/rotation/facts.h", '#include "base/context.h"\n', "is pure and includes"),
    ("layers", "reconcilers/rotation/plan.cpp", "#include <thread>\n", "is pure and includes <thread>"),
    ("layers", "reconcilers/rotation/plan.cpp", "#include <boost/asio/post.hpp>\n", "is pure and includes <boost/asio/post.hpp>"),
    ("layers", "reconcilers/rotation/CMakeLists.txt", None, "names no rotation_pure_sources"),
    ("layers", "reconcilers/reconciler.h", '#include "reconcilers/rotation/plan.h"\n', "against the layers"),
    ("layers", "reconcilers/redis/resp.h", '#include "reconcilers/catalog.h"\n', "against the layers"),
    ("layers", "reconcilers/redis/resp.h", '#include "controller/runtime/queue.h"\n', "against the layers"),
    ("layers", "controller/runtime/queue.h", '#include "reconcilers/rotation/plan.h"\n', "against the layers"),
    ("layers", "controller/runtime/queue.h", '#include "controller/app.h"\n', "against the layers"),
    ("layers", "controller/embedded/server.h", '#include "reconcilers/reconciler.h"\n', "against the layers"),
    ("layers", "controller/embedded/server.h", '#include "controller/server/gateway.h"\n', "against the layers"),
    ("layers", "controller/server/gateway.h", '#include "reconcilers/rotation/plan.h"\n', "against the layers"),
    ("layers", "controller/server/gateway.h", '#include "controller/app.h"\n', "against the layers"),
    ("layers", "cli/main.cpp", '#include "controller/runtime/queue.h"\n', "against the layers"),
    ("layers", "sim/main.cpp", '#include "api/secret_rotation.h"\n', "against the layers"),
    ("layers", "sim/main.cpp", '#include "tests/unit/plan_test.cpp"\n', "includes a source"),
    ("layers", "sim/main.cpp", '#include "context.h"\n', "no path from the root"),
    ("leftovers", "docs/page.md", "FIX" "ME: later\n", "is unfinished"),
    ("leftovers", "docs/page.md", "TO" "DO\n", "is unfinished"),
    ("leftovers", "cli/main.cpp", "// XX" "X\n", "is unfinished"),
    ("leftovers", "tests/unit/plan_test.cpp", "TEST(Plan, DIS" "ABLED_Waits) {}\n", "does not run"),
    ("leftovers", "tests/unit/plan_test.cpp", "GTEST_" "SKIP();\n", "does not run"),
    ("leftovers", "docs/page.md", "\tindented\n", "has a tab"),
    ("leftovers", "docs/page.md", "line\r\n", "carriage return"),
    ("leftovers", "docs/page.md", "line \n", "ends in blanks"),
    ("leftovers", "docs/page.md", "see /home/" "somebody/keyturn\n", "path of one machine"),
    ("leftovers", "docs/page.md", "see {here}\n", "path of one machine"),
    ("leftovers", "controller/runtime/new.h", "int x;\n", "has no #pragma once"),
    ("leftovers", "controller/runtime/new.h", "#pragma once\n", "is included by nothing"),
    ("leftovers", "base/new.cpp", "int x;\n", "is built by nothing"),
    ("leftovers", "base/string_util.h", "#pragma once\n", "has no name of its own"),
    ("leftovers", "base/error.cpp", "void f() { std::cout << 1; }\n", "process's own streams"),
    ("leftovers", "tests/unit/plan_test.cpp", "std::this_thread::sleep_for(1s);\n", "sleeps"),
    ("leftovers", "tests/unit/plan_test.cpp", "usleep(1);\n", "sleeps"),
    ("leftovers", "tests/unit/wait.py", "time." "sleep(1)\n", "sleeps"),
]


def findings_of(check, files, folder):
    for path, text in files.items():
        full = os.path.join(folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", newline="") as file:
            file.write(text.replace("{here}", full))
    return check(SourceTree(folder)).lines


def plant(path, addition):
    files = dict(SOUND)
    if addition is None:
        del files[path]
    else:
        files[path] = files.get(path, "") + addition
    return files


def run(checks):
    failures = []
    passed = 0
    for name, check in checks.items():
        with tempfile.TemporaryDirectory() as folder:
            lines = findings_of(check, SOUND, folder)
        failures += [f"{name}: the sound tree is found wrong: {line}" for line in lines]
        passed += not lines
    cases = [(name, plant(path, addition), path, says) for name, path, addition, says in PLANTED]
    for name, files, path, says in cases:
        with tempfile.TemporaryDirectory() as folder:
            lines = findings_of(checks[name], files, folder)
        named = any(line.startswith(path + ":") and says in line for line in lines)
        passed += named
        if not named:
            failures.append(f"{name}: {path}: not said: {says}; said: {lines}")
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0
