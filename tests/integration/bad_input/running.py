"""The programs of a build, run as a user runs them. Nothing here waits by sleeping: a controller says on its error stream when it is ready."""
import base64
import ctypes
import json
import os
import queue
import re
import signal
import ssl
import subprocess
import threading
import urllib.error
import urllib.request

PATIENCE_S = 60  # for one answer of a program; sanitized builds are slow

CAP_DAC_OVERRIDE, CAP_FOWNER = 1, 3
PR_CAPBSET_DROP = 24


def obey_permissions():
    """For preexec_fn: file permissions count for root, too, once the child executes a program."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (CAP_DAC_OVERRIDE, CAP_FOWNER):
        if os.geteuid() == 0 and libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            os._exit(99)


class Controller:
    """keyturn-controller on free ports, with the data directory `data`."""

    def __init__(self, binary, data, *arguments, **options):
        self.data = data
        command = [binary, "--data-dir", data, *arguments]
        for flag in ("--port", "--grpc-port"):
            if flag not in arguments:
                command += [flag, "0"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **options)
        self.log = []
        self._lines = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.log.append(line)
            self._lines.put(line)
        self._lines.put(None)

    def wait_ready(self):
        while True:
            line = self._lines.get(timeout=PATIENCE_S)
            if line is None:
                raise AssertionError("the controller ended before it was ready: " + "".join(self.log))
            if " ready " in line:
                break
        self.api = re.search(r"api=(\S+)", line)[1]
        self.grpc = re.search(r"grpc=(\S+)", line)[1]
        self.kubeconfig = os.path.join(self.data, "kubeconfig")
        with open(self.kubeconfig) as file:
            text = file.read()
        self.token = re.search(r"token: (\S+)", text)[1]
        self.ca = base64.b64decode(re.search(r"certificate-authority-data: (\S+)", text)[1]).decode()
        return self

    def request(self, method, path, body=None, token=None, kind="application/json"):
        """(status, JSON) of one call of the Kubernetes-compatible API."""
        headers = {"Authorization": f"Bearer {token or self.token}", "Content-Type": kind}
        data = None if body is None else json.dumps(body).encode()
        call = urllib.request.Request(self.api + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(call, timeout=PATIENCE_S, context=ssl.create_default_context(cadata=self.ca)) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)

    def stop(self, how=signal.SIGTERM):
        """Ends it and returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.wait_end()

    def wait_end(self):
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the controller did not end: " + "".join(self.log)) from None
        self._reader.join(PATIENCE_S)
        self.process.stderr.close()
        return code

    def output(self):
        return "".join(self.log)


def run(command, home, **options):
    """A program that ends by itself, with nothing of the user's configuration."""
    environment = {"PATH": os.environ["PATH"], "HOME": home, **options.pop("variables", {})}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
        if name in os.environ:
            environment[name] = os.environ[name]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, timeout=PATIENCE_S, **options)
