"""The runbook against the code: every reason that stalls has a page, and every command on a page can be typed.

What the commands name is read from where it is defined: reasons from api/reasons.*, verbs and flags from cli/arguments.cpp, kinds and
fields from docs/reference, which is generated from the same schema as the CRDs.
"""
import json
import os
import re
import shlex

from source_tree import Findings

FOLDER = "docs/runbook/"
INDEX = "README.md"
NOT_OF_A_REASON = {INDEX, "phases.md", "manual-recovery.md"}
HEADINGS = ["What it means", "What Keyturn has and has not touched", "Look", "Do", "When it ends"]
STALLING = {"Stalled", "Blocked"}

REASON = re.compile(r'string_view (\w+) = "(\w+)";')
TEXT = r'(?:"(?:[^"\\]|\\.)*"\s*)+'
ENTRY = re.compile(r"Entry\{\s*Group::(\w+),\s*(\w+),\s*" + TEXT + r",\s*(\{\}|" + TEXT + r")\s*\}")
VERB = re.compile(r'add_verb\(\s*app,\s*arguments,\s*Verb::\w+,\s*"([a-z]+)"')
OPTION = re.compile(r'add_(?:option|flag)(?:_function<[^>]*>)?\(\s*"([^"]+)"')
FIELD = re.compile(r"^\| `((?:spec|status)[\w.\[\]]*)`", re.MULTILINE)
SHORT_NAME = re.compile(r"short `(\w+)`")
LINK = re.compile(r"\]\(([\w./-]+\.md)(?:#[\w-]*)?\)")
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:kubectl|keyturn) [^`]+)`")
PATH = re.compile(r"\.((?:[A-Za-z_]\w*(?:\[[^\]]*\])?\.?)+)")

METADATA = {"metadata.name", "metadata.namespace", "metadata.creationTimestamp"}
KUBECTL_FLAGS = {"-n", "-A", "-l", "-o", "-w", "-f", "-p", "--type", "--overwrite", "--dry-run", "--for", "--timeout"}
KUBECTL_TAKES_VALUE = {"-n", "-l", "-o", "-f", "-p"}
KUBECTL_ON_OBJECTS = {"get", "describe", "patch", "edit", "annotate", "delete", "wait"}
JOURNAL_NAMESPACE = "keyturn-system"

# A value in an argument or an environment is readable by others of the host and ends in histories.
LEAKS = [
    (re.compile(r"(?:^|\s)--value\b"), "puts a value on a command line"),
    (re.compile(r"\b(?:PGPASSWORD|REDISCLI_AUTH)="), "puts a value into the environment"),
    (re.compile(r"\bredis-cli\b[^|\n]*\s(?:-a|--pass)\s"), "puts a value on a command line"),
    (re.compile(r"\bsqlcmd\b[^|\n]*\s-P\s"), "puts a value on a command line"),
    (re.compile(r"\bsecret (?:delete|purge)\b"), "deletes a secret"),
]
EMPTY_ADVICE = re.compile(r"contact (?:the )?(?:support|vendor)|open a ticket", re.IGNORECASE)


class Facts:
    """What may be named on a page."""

    def __init__(self, tree):
        words = dict(REASON.findall(tree.texts.get("api/reasons.h", "")))
        listing = tree.texts.get("api/reasons.cpp", "")
        self.reasons = {}  # word -> (group, has a page, line in api/reasons.cpp)
        for match in ENTRY.finditer(listing):
            word = words.get(match[2], match[2])
            self.reasons[word] = (match[1], match[3] == "{}", listing.count("\n", 0, match.start()) + 1)
        arguments = tree.texts.get("cli/arguments.cpp", "")
        self.verbs = set(VERB.findall(arguments))
        self.options = {name for names in OPTION.findall(arguments) for name in names.split(",") if name.startswith("-")} | {"--help"}
        self.fields = {}  # short name -> fields
        for path, text in tree.texts.items():
            short = SHORT_NAME.search(text) if path.startswith("docs/reference/") else None
            if short:
                self.fields[short[1]] = set(FIELD.findall(text))
        self.labels = set(re.findall(r'"(keyturn\.dev/[\w-]+)"', tree.texts.get("reconcilers/rotation/admission.cpp", "")))


def logical_lines(block):
    """Lines of a shell block; a line break inside of quotes ends none."""
    lines, current, quote, first, number = [], "", None, 0, 0
    for position, char in enumerate(block):
        escaped = position > 0 and block[position - 1] == "\\" and quote != "'"
        if char in "'\"" and not escaped and quote in (None, char):
            quote = None if quote else char
        if char == "\n":
            number += 1
            if quote is None:
                lines.append((first, current))
                current, first = "", number
                continue
        current += char
    return lines + ([(first, current)] if current.strip() else [])


def simple_commands(line):
    """(words, what follows) of each command of a line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words = []
    for token in lexer:
        if set(token) <= set(";|&()<>"):
            if set(token) <= set("<>"):
                continue
            yield words, token
            words = []
        elif words or token not in {"{", "}", "do", "done", "then", "fi"}:
            words.append(token)
    yield words, ""


def paths_of(expression):
    """The fields that a jsonpath expression names, from the object on."""
    for prefix, body in re.findall(r"\{range \.([\w.\[\]*]+)\}(.*?)\{end\}", expression):
        for inner in re.findall(r"\{(\.[^}]*)\}", body):
            for path in PATH.findall(inner):
                yield f"{prefix}.{path}"
    outside = re.sub(r"\{range .*?\{end\}", "", expression)
    for inner in re.findall(r"\{(\.[^}]*)\}", outside):
        # A filter names a field of the list's entries, which the schema of conditions has in any case.
        for path in PATH.findall(re.sub(r"\[\?\([^)]*\)\]", "[]", inner)):
            yield path


def normal(path):
    path = re.sub(r"\[[^\]]*\]", "[]", path.strip("."))
    return path[len("items[].") :] if path.startswith("items[].") else path


def keys_of(patch, prefix=""):
    for key, value in patch.items():
        yield prefix + key
        if isinstance(value, dict):
            yield from keys_of(value, prefix + key + ".")


class Page:
    def __init__(self, path, text, facts, findings):
        self.path, self.text, self.facts, self.findings = path, text, facts, findings

    def say(self, line, what):
        self.findings.add(self.path, line, what)

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def shape(self, reason):
        if not self.text.startswith(f"# {reason}\n"):
            self.say(1, f"does not begin with the heading {reason}")
        parts = re.split(r"^## (.*)$", self.text, flags=re.MULTILINE)
        found = parts[1::2]
        if found != HEADINGS:
            self.say(1, "has not the headings " + ", ".join(HEADINGS))
        for heading, body in zip(found, parts[2::2]):
            if not body.strip():
                self.say(1, f"says nothing under {heading}")
            if heading == "Do" and not re.search(r"^1\. ", body, re.MULTILINE):
                self.say(1, "has no numbered actions under Do")
            if heading == "Look" and "```sh" not in body:
                self.say(1, "has no command under Look")

    def content(self, exists):
        if match := EMPTY_ADVICE.search(self.text):
            self.say(self.line_of(match.start()), f"is no action: {match[0]}")
        for match in LINK.finditer(self.text):
            target = os.path.normpath(os.path.join(os.path.dirname(self.path), match[1]))
            if not exists(target):
                self.say(self.line_of(match.start()), f"links to nothing: {match[1]}")
        for match in FENCE.finditer(self.text):
            if match[2] not in ("sh", "text"):
                self.say(self.line_of(match.start()), "has a block that is neither sh nor text")
            if match[2] == "sh":
                self.block(match)
        prose = FENCE.sub(lambda match: "\n" * match[0].count("\n"), self.text)
        for match in INLINE.finditer(prose):
            self.command(self.line_of(match.start()) if prose.count("\n") == self.text.count("\n") else 1, match[1])

    def block(self, match):
        first = self.line_of(match.start()) + 1
        for pattern, what in LEAKS:
            for found in pattern.finditer(match[3]):
                self.say(first + match[3].count("\n", 0, found.start()), what)
        for number, line in logical_lines(match[3]):
            self.command(first + number, line)

    def command(self, line, text):
        try:
            commands = list(simple_commands(text))
        except ValueError:
            return self.say(line, "has a command that a shell cannot read")
        for words, after in commands:
            if words[:1] == ["kubectl"]:
                self.kubectl(line, words[1:])
            elif words[:1] == ["keyturn"]:
                self.keyturn(line, words[1:])
            elif words[:3] == ["az", "keyvault", "secret"]:
                self.vault(line, words[3:], after)
        return None

    def keyturn(self, line, words):
        if not words or words[0] not in self.facts.verbs:
            self.say(line, f"keyturn has no verb {words[:1]}")
        for word in words[1:]:
            if word.startswith("-") and word.partition("=")[0] not in self.facts.options:
                self.say(line, f"keyturn has no flag {word}")

    def kubectl(self, line, words):
        verb, rest, flags, names = (words or [""])[0], words[1:], [], []
        while rest:
            word = rest.pop(0)
            if not word.startswith("-"):
                names.append(word)
                continue
            flag, has_value, value = word.partition("=")
            if flag not in KUBECTL_FLAGS:
                self.say(line, f"kubectl {verb} with an unexpected flag {flag}")
            if not has_value and flag in KUBECTL_TAKES_VALUE:
                value = rest.pop(0) if rest else ""
            flags.append((flag, value))
        if verb == "apply":
            return
        if verb not in KUBECTL_ON_OBJECTS:
            return self.say(line, f"kubectl has no verb {verb}, or not for these kinds")
        kind = (names or [""])[0].partition("/")[0]
        if kind not in self.facts.fields:
            return self.say(line, f"there is no kind {kind}")
        self.scope(line, kind, dict(flags))
        for flag, value in flags:
            self.flag_value(line, kind, flag, value)
        for name in names[1:]:
            if name.startswith("keyturn.dev/") and not name.startswith("keyturn.dev/requestedAt="):
                self.say(line, f"nothing reads the annotation {name}")
        return None

    def scope(self, line, kind, flags):
        if "-A" in flags:
            return
        if kind == "rrun" and flags.get("-n") != JOURNAL_NAMESPACE:
            self.say(line, f"journals are in {JOURNAL_NAMESPACE}")
        if kind == "srot" and "-n" not in flags:
            self.say(line, "names no namespace")
        if kind == "renv" and "-n" in flags:
            self.say(line, "an environment has no namespace")

    def flag_value(self, line, kind, flag, value):
        known = self.facts.fields[kind] | METADATA
        if flag == "-o" and value.startswith("jsonpath="):
            for path in paths_of(value):
                if normal(path) not in known:
                    self.say(line, f"{kind} has no field {normal(path)}")
        if flag == "-p":
            try:
                paths = list(keys_of(json.loads(value)))
            except ValueError:
                return self.say(line, "has a patch that is no JSON")
            for path in paths:
                if path != "spec" and path not in known:
                    self.say(line, f"{kind} has no field {path}")
        if flag == "-l":
            for pair in value.split(","):
                if pair.partition("=")[0] not in self.facts.labels:
                    self.say(line, f"nothing carries the label {pair}")
        return None

    def vault(self, line, words, after):
        verb, text = (words or [""])[0], " ".join(words)
        quiet = "--output none" in text
        if verb == "set" and not ("--file" in words and quiet):
            self.say(line, "sets a secret without --file, or prints it")
        if verb == "show" and "--query" not in words:
            self.say(line, "prints a secret")
        if verb == "show" and "--query value" in text and after != "|":
            self.say(line, "prints a value")
        if "--enabled false" in text and "keyturn-stage-" not in text and "$STAGE" not in text:
            self.say(line, "disables a version that somebody may read")


def check(tree):
    facts = Facts(tree)
    pages = {path[len(FOLDER) :]: text for path, text in tree.texts.items() if path.startswith(FOLDER)}
    findings = Findings([FOLDER + name for name in pages] + ["api/reasons.cpp"])
    if not facts.reasons or not facts.verbs or not facts.fields:
        findings.add("api/reasons.cpp", 1, "reasons, verbs or fields were not found where they used to be")
    for reason, (group, has_page, line) in facts.reasons.items():
        if group in STALLING and not has_page:
            findings.add("api/reasons.cpp", line, f"{reason} stalls a rotation and has no page")
        if has_page and reason + ".md" not in pages:
            findings.add("api/reasons.cpp", line, f"{FOLDER}{reason}.md is missing")
    for name, text in pages.items():
        page = Page(FOLDER + name, text, facts, findings)
        reason = name[: -len(".md")]
        if name not in NOT_OF_A_REASON:
            if not facts.reasons.get(reason, ("", False, 0))[1]:
                page.say(1, "is a page without a reason")
            page.shape(reason)
        page.content(tree.texts.__contains__)
    return findings
