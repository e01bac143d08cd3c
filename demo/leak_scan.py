"""Looks for the values that were in use, in every form in which they could slip out, in everything that Keyturn wrote or showed."""
import base64
import glob
import os
import urllib.parse


def forms(value):
    """Plain, base64 at each of the three alignments, base64url, hex and URL-encoded."""
    raw = value.encode()
    found = {raw, raw.hex().encode(), raw.hex().upper().encode(), urllib.parse.quote(value, safe="").encode()}
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(b"\0" * shift + raw)
            # The ends mix with the neighbours' bits; the middle is certain.
            middle = encoded[4 if shift else 0 : (len(encoded) // 4 - 1) * 4]
            if len(middle) >= 12:
                found.add(middle)
    return found


class Scan:
    def __init__(self, values):
        self.needles = {form: index for index, value in enumerate(sorted(values)) for form in forms(value)}
        self.values = len(values)
        self.bytes = 0
        self.hits = []

    def text(self, where, content):
        content = content if isinstance(content, bytes) else content.encode()
        self.bytes += len(content)
        for needle in self.needles:
            if needle in content:
                self.hits.append(where)
                return

    def files(self, pattern):
        for path in glob.glob(pattern, recursive=True):
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    self.text(path, file.read())

    def processes(self):
        """Arguments and environment of every process that can be read."""
        for path in glob.glob("/proc/[0-9]*/cmdline") + glob.glob("/proc/[0-9]*/environ"):
            try:
                with open(path, "rb") as file:
                    self.text(path, file.read())
            except OSError:
                pass  # gone meanwhile, or not ours
