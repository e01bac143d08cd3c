"""What the checks look at: the files that are or could be committed, or every file of a tree without version control."""
import os
import re
import subprocess

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
CPP = (".cpp", ".h")


class SourceTree:
    """The files below `root` by their path from there. Binary files are left out."""

    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.texts = {}
        for path in self._paths():
            try:
                with open(os.path.join(self.root, path), "rb") as file:
                    content = file.read()
            except FileNotFoundError:
                continue  # deleted, and not yet committed as such
            if b"\0" not in content:
                self.texts[path] = content.decode("utf-8", errors="replace")

    def _paths(self):
        if os.path.exists(os.path.join(self.root, ".git")):
            listed = subprocess.run(["git", "-C", self.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], check=True, capture_output=True, text=True).stdout
            return sorted({path for path in listed.split("\0") if path})
        found = []
        for folder, _, names in os.walk(self.root):
            found += [os.path.relpath(os.path.join(folder, name), self.root) for name in names]
        return sorted(found)

    def sources(self):
        return [path for path in self.texts if path.endswith(CPP)]

    def includes(self, path):
        """(line, is_system, name) of every #include of a file."""
        text = self.texts[path]
        return [(text.count("\n", 0, match.start(2)) + 1, match[1] == "<", match[2]) for match in INCLUDE.finditer(text)]


class Findings:
    """What a check found wrong, by file: a file passes when nothing was."""

    def __init__(self, checked):
        self.checked = set(checked)
        self.lines = []
        self.failed = set()

    def add(self, path, line, what):
        self.checked.add(path)
        self.failed.add(path)
        self.lines.append(f"{path}:{line}: {what}")

    def summary(self):
        return f"{len(self.checked) - len(self.failed)} passed, {len(self.failed)} failed"
