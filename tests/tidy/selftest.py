"""The checks on trees with one planted fault each: each must be named, and the sound tree must pass."""
import os
import sys
import tempfile

from source_tree import SourceTree

PAGE = """# Drift

## What it means
Somebody changed it.

## What Keyturn has and has not touched
Nothing.

## Look
```sh
keyturn status NAME -n NAMESPACE
kubectl get srot NAME -n NAMESPACE -o jsonpath='{.status.run}{"\\n"}{range .status.conditions[*]}{.type}{"\\n"}{end}'
kubectl get rrun RUN -n keyturn-system -o jsonpath='{.status.phase}'
```

```text
Switching
```

## Do
1. See [the index](README.md) and write it back:

   ```sh
   kubectl patch srot NAME -n NAMESPACE --type=merge -p '{"spec": {"revision": "OLD"}}'
   az keyvault secret set --vault-name VAULT --name SECRET --file value --output none
   ```

## When it ends
It goes on.
"""

SOUND = {
    "base/error.h": "#pragma once\n",
    "base/task.h": '#pragma once\n#include <boost/asio/awaitable.hpp>\n#include "base/error.h"\n',
    "base/context.h": '#pragma once\n#include "base/task.h"\n',
    "base/CMakeLists.txt": "keyturn_layer(keyturn_base error.cpp)\n",
    "base/error.cpp": '#include "base/error.h"\n\n#include "base/context.h"\n',
    "api/secret_rotation.h": '#pragma once\n#include "base/error.h"\n',
    "api/CMakeLists.txt": "file(GLOB sources *.cpp)\n",
    "api/reasons.h": '#pragma once\ninline constexpr std::string_view drift = "Drift";\ninline constexpr std::string_view adopted = "Adopted";\n',
    "api/reasons.cpp": '#include "api/reasons.h"\n\nEntry{Group::Blocked, drift, "It drifted.", {}},\nEntry{Group::Other, adopted, "It is "\n  "adopted.", "Nothing to do."},\n',
    "reconcilers/rotation/admission.cpp": '#include "reconcilers/rotation/plan.h"\n\nauto labels = {"keyturn.dev/rotation"};\n',
    "docs/reference/secretrotation.md": "kubectl get x, short `srot`\n\n| `spec.revision` | string |\n| `status.run` | string |\n| `status.conditions[].type` **required** | string |\n",
    "docs/reference/rotationrun.md": "kubectl get x, short `rrun`\n\n| `status.phase` | string |\n",
    "docs/runbook/README.md": "# Runbook\n",
    "docs/runbook/Drift.md": PAGE,
    "reconcilers/reconciler.h": '#pragma once\n#include "base/task.h"\n',
    "reconcilers/catalog.h": '#pragma once\n#include "reconcilers/rotation/systems.h"\n#include "reconcilers/redis/resp.h"\n',
    "reconcilers/redis/resp.h": '#pragma once\n#include "reconcilers/rotation/systems.h"\n',
    "reconcilers/rotation/CMakeLists.txt": "set(rotation_pure_sources\n    plan.cpp)\nkeyturn_layer(keyturn_rotation ${rotation_pure_sources} admission.cpp)\n",
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
    "cli/CMakeLists.txt": "add_executable(keyturn main.cpp arguments.cpp)\n",
    "cli/arguments.cpp": 'add_verb(app, arguments, Verb::Status, "status", "Show");\nverb.add_option("-n,--namespace", arguments.ns, "Namespace");\n',
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
    ("runbook", "docs/runbook/Adopted.md", "# Adopted\n", "is a page without a reason"),
    ("runbook", "docs/runbook/Nonsense.md", "# Nonsense\n", "is a page without a reason"),
    ("runbook", "docs/runbook/Drift.md", "\n## More\nText.\n", "has not the headings"),
    ("runbook", "docs/runbook/README.md", "Please contact support.\n", "is no action"),
    ("runbook", "docs/runbook/README.md", "See [there](there.md).\n", "links to nothing"),
    ("runbook", "docs/runbook/README.md", "```\nls\n```\n", "neither sh nor text"),
    ("runbook", "docs/runbook/README.md", "Ask `keyturn doctor`.\n", "keyturn has no verb"),
    ("runbook", "docs/runbook/README.md", "```sh\nkeyturn status --force\n```\n", "keyturn has no flag --force"),
    ("runbook", "docs/runbook/README.md", "```sh\nls 'open\n```\n", "that a shell cannot read"),
    ("runbook", "docs/runbook/README.md", "```sh\nls | (cd x; kubectl rollout undo srot/x)\n```\n", "kubectl has no verb rollout"),
    ("runbook", "docs/runbook/README.md", "```sh\nkubectl get pods -n x\n```\n", "there is no kind pods"),
    ("runbook", "docs/runbook/README.md", "```sh\nkubectl get srot -n x --watch-only\n```\n", "unexpected flag --watch-only"),
    ("runbook", "docs/runbook/README.md", "Use `kubectl get srot x`.\n", "names no namespace"),
    ("runbook", "docs/runbook/README.md", "```sh\nkubectl get rrun x -n demo\n```\n", "journals are in keyturn-system"),
    ("runbook", "docs/runbook/README.md", "```sh\nkubectl get srot x -n y -o jsonpath='{.status.phase}'\n```\n", "srot has no field status.phase"),
    ("runbook", "docs/runbook/README.md", "```sh\nkubectl get srot x -n y -o jsonpath='{range .status.conditions[*]}{.kind}{end}'\n```\n", "srot has no field status.conditions[].kind"),
    ("runbook", "docs/runbook/README.md", "```sh\nkubectl get srot x -n y -o jsonpath='{.status.conditions[?(@.type==\"Ready\")].why}'\n```\n", "srot has no field status.conditions[].why"),
    ("runbook", "docs/runbook/README.md", "```sh\nkubectl patch srot x -n y --type=merge -p '{\"spec\": {\"rotateNow\": true}}'\n```\n", "srot has no field spec.rotateNow"),
    ("runbook", "docs/runbook/README.md", "```sh\nkubectl patch srot x -n y --type=merge -p '{'\n```\n", "has a patch that is no JSON"),
    ("runbook", "docs/runbook/README.md", "```sh\nkubectl delete rrun -n keyturn-system -l keyturn.dev/owner=x\n```\n", "nothing carries the label"),
    ("runbook", "docs/runbook/README.md", "```sh\nkubectl annotate srot x -n y keyturn.dev/now=1\n```\n", "nothing reads the annotation"),
    ("runbook", "docs/runbook/README.md", "```sh\naz keyvault secret set --name x --value y --output none\n```\n", "puts a value on a command line"),
    ("runbook", "docs/runbook/README.md", "```sh\naz keyvault secret set --name x --file y\n```\n", "without --file, or prints it"),
    ("runbook", "docs/runbook/README.md", "```sh\naz keyvault secret show --name x\n```\n", "prints a secret"),
    ("runbook", "docs/runbook/README.md", "```sh\naz keyvault secret show --name x --query value > y; ls\n```\n", "prints a value"),
    ("runbook", "docs/runbook/README.md", "```sh\naz keyvault secret delete --name x\n```\n", "deletes a secret"),
    ("runbook", "docs/runbook/README.md", "```sh\naz keyvault secret set-attributes --id x --enabled false --output none\n```\n", "disables a version"),
    ("runbook", "docs/runbook/README.md", "```sh\nPGPASSWORD=x psql\n```\n", "into the environment"),
    ("runbook", "docs/runbook/README.md", "```sh\nredis-cli -h x -a y ping\n```\n", "on a command line"),
]

# What an appended line cannot plant: check, file, what is replaced, by what (None: the file is left out), where it is found, what is said.
REPLACED = [
    ("runbook", "docs/runbook/Drift.md", "", None, "api/reasons.cpp", "docs/runbook/Drift.md is missing"),
    ("runbook", "api/reasons.cpp", '"It drifted.", {}', '"It drifted.", "Look."', "api/reasons.cpp", "stalls a rotation and has no page"),
    ("runbook", "api/reasons.cpp", "Group::", "", "api/reasons.cpp", "were not found where they used to be"),
    ("runbook", "docs/runbook/Drift.md", "# Drift\n", "# Drifted\n", "docs/runbook/Drift.md", "does not begin with the heading"),
    ("runbook", "docs/runbook/Drift.md", "Somebody changed it.\n", "", "docs/runbook/Drift.md", "says nothing under What it means"),
    ("runbook", "docs/runbook/Drift.md", "1. See", "See", "docs/runbook/Drift.md", "has no numbered actions"),
    ("runbook", "docs/runbook/Drift.md", "## Look\n```sh\n", "## Look\n```text\n", "docs/runbook/Drift.md", "has no command under Look"),
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


def replace(path, old, new):
    files = dict(SOUND)
    if new is None:
        del files[path]
    else:
        assert old in files[path], f"{path} holds no {old!r}"
        files[path] = files[path].replace(old, new)
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
    cases += [(name, replace(path, old, new), where, says) for name, path, old, new, where, says in REPLACED]
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
