"""Figures of the whole controller, against keyturn-sim on this machine: start, memory, time to the first step, the API under load, scale.

Prints tables and asserts nothing. The load comes from keyturn-api-load; everything else is driven from here, where Python is fast enough
not to be what is measured. Objects are created by eight Python threads: that one figure says as much about Python as about the controller.
"""
import argparse
import base64
import concurrent.futures
import http.client
import json
import os
import re
import secrets
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "demo"))
from servers import Process, wait_for, write_private

GROUP = "/apis/keyturn.dev/v1alpha1"
ROTATIONS = f"{GROUP}/namespaces/bench/secretrotations"
RUNS = f"{GROUP}/namespaces/keyturn-system/rotationruns"
CLIENT_ID = "30000000-0000-4000-8000-000000000003"  # the controller's; made up
STARTS = 20
STEPS = 20
LOAD_SECONDS = 10
IDLE_SECONDS = 10
running = []  # whatever was started, so that nothing outlives a measure that fails


def table(title, header, rows):
    print(f"\n{title}")
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    for row in cells:
        print("  " + "  ".join(cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(zip(row, widths))).rstrip())
    sys.stdout.flush()


def milliseconds(seconds):
    return f"{seconds * 1000:.1f}"


class Controller:
    """keyturn-controller on free ports; ready is what it says on its error stream, so that no polling blurs the time."""

    def __init__(self, binary, data):
        self.data = data
        command = [binary, "--data-dir", data, "--port", "0", "--grpc-port", "0", "--log-level", "info"]
        begun = time.perf_counter()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        running.append(self.process)
        lines = []
        for line in self.process.stderr:
            lines.append(line)
            if " ready " in line:
                break
        else:
            raise SystemExit("bench: the controller did not start: " + "".join(lines))
        self.ready_after = time.perf_counter() - begun
        self.url = urllib.parse.urlsplit(re.search(r"api=(\S+)", line)[1])
        threading.Thread(target=self._drain, daemon=True).start()
        with open(os.path.join(data, "kubeconfig")) as file:
            text = file.read()
        self.token = re.search(r"token: (\S+)", text)[1]
        self.ca = base64.b64decode(re.search(r"certificate-authority-data: (\S+)", text)[1]).decode()
        self.ca_file = os.path.join(data, "ca.crt")
        self.tls = ssl.create_default_context(cadata=self.ca)

    def _drain(self):
        for _ in self.process.stderr:
            pass

    def connect(self):
        return http.client.HTTPSConnection(self.url.hostname, self.url.port, timeout=600, context=self.tls)

    def headers(self, kind="application/json"):
        return {"Authorization": f"Bearer {self.token}", "Content-Type": kind}

    def call(self, connection, method, path, body=None, kind="application/json"):
        connection.request(method, path, None if body is None else json.dumps(body), self.headers(kind))
        reply = connection.getresponse()
        text = reply.read()
        if reply.status >= 300:
            raise SystemExit(f"bench: {method} {path} answered {reply.status}: {text[:300].decode(errors='replace')}")
        return text

    def watch(self, path):
        """Yields the events of a watch that starts now; the connection is in place when this returns."""
        version = json.loads(self.call(self.connect(), "GET", path + "?limit=1"))["metadata"]["resourceVersion"]
        connection = self.connect()
        connection.request("GET", f"{path}?watch=true&resourceVersion={version}", headers=self.headers())
        reply = connection.getresponse()

        def events():
            for line in reply:
                yield json.loads(line)

        return events()

    def resident_mib(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1]) / 1024

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def reconciles(self):
        text = self.call(self.connect(), "GET", "/metrics").decode()
        return sum(float(value) for value in re.findall(r'^controller_runtime_reconcile_total\{controller="secretrotation"[^}]*\} (\S+)$', text, re.MULTILINE))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


class Simulator:
    """keyturn-sim with one vault that holds `count` secrets and has no rate limit worth the name."""

    def __init__(self, binary, folder, count):
        os.makedirs(folder)
        client_secret = secrets.token_urlsafe(24)
        self.client_secret_file = write_private(os.path.join(folder, "client-secret"), client_secret)
        values = [{"name": f"Bench--{number}", "generateBytes": 32} for number in range(count)]
        limits = {"createsPer10Seconds": 1_000_000, "othersPer10Seconds": 1_000_000}
        principal = {"clientId": CLIENT_ID, "clientSecret": client_secret, "arm": ["read"]}
        seed = write_private(os.path.join(folder, "seed.json"), json.dumps({"principals": [principal], "vaults": [{"name": "main", "secrets": values, **limits}]}))
        ready = os.path.join(folder, "ready.json")
        command = [binary, "--vault", "main=0", "--seed", seed, "--state-dir", os.path.join(folder, "state"), "--ready-file", ready, "--log-level", "error"]
        self.process = Process("keyturn-sim", command, folder)
        running.append(self.process.child)
        wait_for("keyturn-sim", lambda: os.path.exists(ready), self.process.child)
        with open(ready) as file:
            self.ready = json.load(file)

    def environment(self):
        ready = self.ready
        return {
            "apiVersion": "keyturn.dev/v1alpha1",
            "kind": "RotationEnvironment",
            "metadata": {"name": "bench"},
            "spec": {
                "azure": {
                    "cloud": "Custom",
                    "tenantId": ready["tenant"],
                    "subscriptionId": ready["subscription"],
                    "identity": {"type": "ClientSecret", "clientId": CLIENT_ID, "clientSecretFile": self.client_secret_file},
                    "endpoints": {"authority": ready["authority"], "resourceManager": ready["arm"], "caFile": ready["caFile"]},
                },
                "vaults": [{"name": "main", "vault": "main", "url": ready["vaults"]["main"]["url"], "secrets": ["*"], "staging": True}],
                "bindings": [{"namespaces": ["bench"], "secrets": ["*"], "systems": ["*"], "consumers": ["*"]}],
                "timing": {
                    "issue": "1s", "request": "5s", "serverResidual": "500ms", "lease": "500ms", "publishDeadline": "20s", "soak": "0s",
                    "driftInterval": "1h", "poll": "200ms",
                },
            },
        }


def rotation(number):
    return {
        "apiVersion": "keyturn.dev/v1alpha1",
        "kind": "SecretRotation",
        "metadata": {"name": f"rotation-{number}", "namespace": "bench"},
        "spec": {
            "environmentRef": {"name": "bench"},
            "revision": "one",
            "secret": {"vaults": ["main"], "name": f"Bench--{number}", "format": {"type": "Opaque"}},
            "generator": {"type": "Password", "length": 32},
            "strategy": {"type": "InPlace", "acknowledgeOutage": True, "overlap": "0s"},
        },
    }


class Stage:
    """A controller and a simulator with `count` rotations, none of which has its environment yet."""

    def __init__(self, options, folder, count):
        self.controller = Controller(options.controller, os.path.join(folder, "data"))
        self.simulator = Simulator(options.simulator, os.path.join(folder, "sim"), count)
        connection = self.controller.connect()
        self.controller.call(connection, "POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bench"}})
        begun = time.perf_counter()
        local = threading.local()

        def create(number):
            if not hasattr(local, "connection"):
                local.connection = self.controller.connect()
            self.controller.call(local.connection, "POST", ROTATIONS, rotation(number))

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(create, range(count)))
        self.created_per_second = count / (time.perf_counter() - begun)
        self.count = count

    def adopt(self):
        """Creates the environment; returns when every rotation is Ready, with the seconds that it took."""
        events = self.controller.watch(ROTATIONS)
        begun = time.perf_counter()
        self.controller.call(self.controller.connect(), "POST", f"{GROUP}/rotationenvironments", self.simulator.environment())
        waiting = {f"rotation-{number}" for number in range(self.count)}
        while waiting:
            changed = next(events)["object"]
            conditions = changed.get("status", {}).get("conditions", [])
            if any(one["type"] == "Ready" and one["status"] == "True" for one in conditions):
                waiting.discard(changed["metadata"]["name"])
        return time.perf_counter() - begun

    def stop(self):
        self.controller.stop()
        self.simulator.process.stop()


def measure_start(options, folder):
    rows = []
    for title, data in (("first start", lambda number: f"first-{number}"), ("start again", lambda number: "again")):
        times = []
        resident = []
        for number in range(STARTS):
            controller = Controller(options.controller, os.path.join(folder, data(number)))
            times.append(controller.ready_after)
            resident.append(controller.resident_mib())
            controller.stop()
        rows.append((title, milliseconds(statistics.median(times)), milliseconds(max(times)), f"{statistics.median(resident):.1f}"))
    table(f"Start, {STARTS} times", ("", "median ms", "longest ms", "resident MiB when ready"), rows)


def measure_first_step(options, folder):
    stage = Stage(options, folder, STEPS)
    stage.adopt()
    controller = stage.controller
    events = controller.watch(RUNS)
    connection = controller.connect()
    recorded, ended = [], []
    for number in range(STEPS):
        begun = time.perf_counter()
        controller.call(connection, "PATCH", f"{ROTATIONS}/rotation-{number}", {"spec": {"revision": "two"}}, "application/merge-patch+json")
        first = None
        while True:
            run = next(events)["object"]
            if run["spec"]["rotationRef"]["name"] != f"rotation-{number}":
                continue
            first = first or time.perf_counter() - begun
            if run.get("status", {}).get("phase") in ("Succeeded", "RolledBack", "Abandoned"):
                break
        recorded.append(first)
        ended.append(time.perf_counter() - begun)
    stage.stop()
    rows = [(title, milliseconds(statistics.median(times)), milliseconds(max(times))) for title, times in (("apply to the run's first record", recorded), ("apply to the run's end", ended))]
    table(f"A new revision of a secret in one vault, {STEPS} times", ("", "median ms", "longest ms"), rows)


def measure_load(options, folder):
    stage = Stage(options, folder, 100)
    stage.adopt()
    controller = stage.controller
    token_file = write_private(os.path.join(folder, "token"), controller.token)
    rows = []
    for title, path in (("GET one rotation", f"{ROTATIONS}/rotation-7"), ("LIST 100 rotations", ROTATIONS)):
        for connections in (1, 8):
            command = [options.load, controller.url.geturl() + path, controller.ca_file, token_file, str(connections), str(LOAD_SECONDS)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=LOAD_SECONDS + 120)
            if done.returncode != 0:
                raise SystemExit(f"bench: keyturn-api-load failed: {done.stderr or done.stdout}")
            figures = json.loads(done.stdout)
            rows.append((title, connections, f"{figures['requests_per_second']:.0f}", f"{figures['p50_ms']:.2f}", f"{figures['p99_ms']:.2f}", f"{figures['reply_bytes'] / 1024:.1f}", figures["failures"]))
    stage.stop()
    table(f"The embedded API over TLS, {LOAD_SECONDS} s each", ("", "connections", "requests/s", "p50 ms", "p99 ms", "reply KiB", "failures"), rows)


def measure_scale(options, folder):
    rows = []
    for count in options.sizes:
        stage = Stage(options, os.path.join(folder, str(count)), count)
        controller = stage.controller
        before = controller.reconciles()
        seconds = stage.adopt()
        reconciles = controller.reconciles() - before
        resident = controller.resident_mib()
        busy = controller.cpu_seconds()
        time.sleep(IDLE_SECONDS)
        idle = (controller.cpu_seconds() - busy) / IDLE_SECONDS
        controller.stop()
        again = Controller(options.controller, controller.data)
        restart, resident_again = again.ready_after, again.resident_mib()
        again.stop()
        stage.simulator.process.stop()
        rows.append((count, f"{stage.created_per_second:.0f}", f"{seconds:.1f}", f"{reconciles / seconds:.0f}", f"{resident:.0f}", f"{idle * 100:.1f}", milliseconds(restart), f"{resident_again:.0f}"))
    header = ("rotations", "created/s", "all adopted s", "reconciles/s", "resident MiB", "idle CPU %", "restart ms", "resident MiB")
    table("Scale: rotations that get their environment, each adopted from the simulated vault", header, rows)


MEASURES = {"start": measure_start, "first-step": measure_first_step, "load": measure_load, "scale": measure_scale}


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="the build folder")
    parser.add_argument("--only", choices=MEASURES, action="append", help="one measure; may be given again")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000], help="how many rotations the measure of scale takes")
    options = parser.parse_args()
    for name, path in (("controller", "controller/keyturn-controller"), ("simulator", "sim/keyturn-sim"), ("load", "bench/keyturn-api-load")):
        setattr(options, name, os.path.abspath(os.path.join(options.bin, path)))
    for name in options.only or MEASURES:
        with tempfile.TemporaryDirectory(prefix="keyturn-bench-") as folder:
            try:
                MEASURES[name](options, folder)
            finally:
                for process in running:
                    if process.poll() is None:
                        process.kill()
                        process.wait()
                running.clear()


if __name__ == "__main__":
    main()
