"""The main job, end to end, on real local servers: a commit rotates, a kill is survived, a bad rollout goes back, a revert rolls back.

Exits 0 only when no login failed where two credentials can live, nothing leaked and every rotation ended as it should.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import grpc_client
import leak_scan
import manifests
from prober import Prober, Vault, postgres_login, redis_login
from servers import Postgres, Process, Redis, Simulator, free_port, wait_for

NAMESPACE = "demo"
TWO_LIVE = ("erp-redis", "erp-postgres")
STARTED = time.monotonic()


def note(text):
    print(f"{time.monotonic() - STARTED:7.2f}s  {text}", flush=True)


def chapter(title):
    print(f"\n--- {title} " + "-" * max(0, 96 - len(title)), flush=True)


class Controller:
    """keyturn-controller with the ports and the data that it keeps over a kill."""

    def __init__(self, binary, folder, repository):
        os.makedirs(folder)
        self.folder = folder
        self.kubeconfig = os.path.join(folder, "kubeconfig")
        self.ready = os.path.join(folder, "ready.json")
        port, grpc = free_port(), free_port()
        self.command = [binary, "--data-dir", os.path.join(folder, "data"), "--port", str(port), "--grpc-port", str(grpc)]
        self.command += ["--kubeconfig", self.kubeconfig, "--ready-file", self.ready]
        self.command += ["--git-url", repository, "--git-branch", "main", "--git-interval", "500ms"]
        self.process = None

    def start(self):
        if os.path.exists(self.ready):
            os.unlink(self.ready)
        self.process = Process("keyturn-controller", self.command, self.folder)
        wait_for("keyturn-controller", lambda: os.path.exists(self.ready), self.process.child)

    def kill(self):
        self.process.stop(signal.SIGKILL)


class Kubectl:
    def __init__(self, binary, kubeconfig):
        self.base = [binary, "--kubeconfig", kubeconfig]
        # No discovery cache of an earlier run, and no configuration of the user's.
        self.environment = {"PATH": os.environ["PATH"], "HOME": os.path.dirname(kubeconfig)}
        self.outputs = []

    def run(self, *arguments, check=True, show=True):
        if show:
            print("$ kubectl " + " ".join(arguments), flush=True)
        done = subprocess.run([*self.base, *arguments], capture_output=True, text=True, env=self.environment, timeout=180)
        self.outputs.append(done.stdout + done.stderr)
        if show:
            print(done.stdout + done.stderr, end="", flush=True)
        if check and done.returncode != 0:
            raise SystemExit(f"demo: kubectl {' '.join(arguments)} failed: {done.stderr.strip()}")
        return done.stdout

    def rotation(self, name):
        return json.loads(self.run("get", "srot", name, "-n", NAMESPACE, "-o", "json", show=False))


class Repository:
    """The Git repository that the controller follows."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder)
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "Demo")
        self.git("config", "user.email", "demo@example.com")
        self.git("commit", "-q", "--allow-empty", "-m", "An empty repository")

    def git(self, *arguments):
        environment = {"PATH": os.environ["PATH"], "HOME": self.folder, "GIT_CONFIG_NOSYSTEM": "1"}
        return subprocess.run(["git", *arguments], cwd=self.folder, check=True, capture_output=True, text=True, env=environment).stdout.strip()

    def commit(self, revision, message):
        for name in manifests.ROTATIONS:
            with open(os.path.join(self.folder, f"{name}.yaml"), "w") as file:
                file.write(manifests.rotation(name, revision))
        self.git("add", ".")
        self.git("commit", "-q", "-m", message)
        commit = self.git("rev-parse", "--short", "HEAD")
        note(f"git commit {commit}: {message}")
        return self.git("rev-parse", "HEAD")

    def revert(self, commit):
        self.git("revert", "--no-edit", commit)
        note(f"git revert -> {self.git('rev-parse', '--short', 'HEAD')}: {self.git('log', '-1', '--format=%s')}")


class Demo:
    def __init__(self, options):
        self.bin = options.bin
        self.folder = tempfile.mkdtemp(prefix="keyturn-demo-")
        self.processes = []
        self.probers = []
        self.keyturn_outputs = []
        kubectl = options.kubectl or shutil.which("kubectl")
        if not kubectl:
            raise SystemExit("demo: kubectl is missing; install Debian's package kubernetes-client, or name one with --kubectl")
        self.kubectl_binary = kubectl
        self.failures = []

    def path(self, name):
        return os.path.join(self.folder, name)

    # ---- the stage ----

    def start_systems(self):
        chapter("real servers, a simulated Azure, and the controller")
        self.redis = Redis(self.path("redis"))
        self.processes.append(self.redis.process)
        note(f"redis on 127.0.0.1:{self.redis.port}")
        self.postgres = Postgres(self.path("postgres"))
        self.processes.append(self.postgres.process)
        note(f"postgresql on 127.0.0.1:{self.postgres.port}")
        secrets = {
            "RedisConfiguration--Password": self.redis.password,
            "ConnectionStrings--DefaultConnection": self.postgres.url("app_a"),
            "ConnectionStrings--Reports": self.postgres.url("reports"),
        }
        apps = {manifests.ROTATIONS[name]["consumer"]: manifests.ROTATIONS[name]["secret"] for name in manifests.ROTATIONS}
        self.sim = Simulator(self.binary("sim/keyturn-sim"), self.path("sim"), secrets, apps)
        self.processes.append(self.sim.process)
        note(f"keyturn-sim on {self.sim.ready['main']}, its vault on {self.sim.ready['vaults']['main']['url']}")
        self.repository = Repository(self.path("repository"))
        self.controller = Controller(self.binary("controller/keyturn-controller"), self.path("controller"), self.path("repository"))
        self.controller.start()
        with open(self.controller.ready) as file:
            self.api = json.load(file)
        note(f"keyturn-controller on {self.api['api']}")
        self.kubectl = Kubectl(self.kubectl_binary, self.controller.kubeconfig)

    def binary(self, name):
        path = os.path.abspath(os.path.join(self.bin, name))
        if not os.path.exists(path):
            raise SystemExit(f"demo: {path} is not built; run ./dev demo")
        return path

    def start_probers(self):
        vault = lambda: Vault(self.sim.ready, self.sim.prober_secret)
        redis = lambda value: redis_login(self.redis.port, value)
        logins = {"erp-redis": redis, "erp-postgres": postgres_login, "erp-reports": postgres_login}
        for name, login in logins.items():
            prober = Prober(name, vault(), manifests.ROTATIONS[name]["secret"], login)
            prober.start()
            self.probers.append(prober)
        note("probers log in with the published value every 50 ms")

    def keyturn(self, *arguments, show=True):
        if show:
            print("$ keyturn " + " ".join(arguments), flush=True)
        environment = {"PATH": os.environ["PATH"], "HOME": self.folder, "KEYTURN_KUBECONFIG": self.controller.kubeconfig}
        done = subprocess.run([self.binary("cli/keyturn"), *arguments], capture_output=True, text=True, env=environment, timeout=60)
        self.keyturn_outputs.append(done.stdout + done.stderr)
        if show:
            print(done.stdout + done.stderr, end="", flush=True)
        if done.returncode != 0:
            raise SystemExit(f"demo: keyturn {' '.join(arguments)} failed: {done.stderr.strip()}")
        return done.stdout

    def admin(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.sim.ready["admin"] + path, data=data, method=method, headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.read()

    # ---- looking ----

    def wait_until(self, what, condition, seconds=150):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return
            time.sleep(0.1)
        self.kubectl.run("get", "srot", "-n", NAMESPACE, "-o", "yaml", check=False)
        raise SystemExit(f"demo: not within {seconds} s: {what}")

    def current(self, name):
        status = self.kubectl.rotation(name).get("status", {})
        return status.get("current", {}).get("name")

    def settled_on(self, name, revision):
        """The wanted generation was seen, is in force, and nothing is under way any more."""
        rotation = self.kubectl.rotation(name)
        status = rotation.get("status", {})
        seen = status.get("observedGeneration") == rotation["metadata"]["generation"]
        return seen and status.get("current", {}).get("revision") == revision and not status.get("run")

    def wait_settled(self, revision, rotations=tuple(manifests.ROTATIONS)):
        for name in rotations:
            self.wait_until(f"{name} settled on {revision}", lambda: self.settled_on(name, revision))
            note(f"{name}: {self.current(name)} is published, accepted and in use; nothing is under way")

    def condition(self, name, kind):
        for condition in self.kubectl.rotation(name).get("status", {}).get("conditions", []):
            if condition["type"] == kind:
                return condition
        return {}

    # ---- the story ----

    def adopt(self):
        chapter("kubectl apply: what exists is adopted as it is, nothing is rotated")
        ready = self.sim.ready
        environment = self.path("environment.yaml")
        with open(environment, "w") as file:
            file.write(
                manifests.ENVIRONMENT.format(
                    tenant=ready["tenant"], subscription=ready["subscription"], client_id=Simulator.CLIENT_ID, client_secret_file=self.sim.client_secret_file,
                    authority=ready["authority"], arm=ready["arm"], ca_file=ready["caFile"], vault_url=ready["vaults"]["main"]["url"],
                    redis_port=self.redis.port, redis_admin=self.redis.admin_file, postgres_port=self.postgres.port,
                    postgres_admin=self.postgres.admin_file,
                )
            )
        self.kubectl.run("version", check=False)
        self.kubectl.run("apply", "-f", environment)
        self.kubectl.run("create", "namespace", NAMESPACE)
        for name in manifests.ROTATIONS:
            manifest = self.path(f"{name}.yaml")
            with open(manifest, "w") as file:
                file.write(manifests.rotation(name, "2026-q3"))
            self.kubectl.run("apply", "-f", manifest)
        self.kubectl.run("wait", "--for=condition=Ready", "srot", "--all", "-n", NAMESPACE, "--timeout=60s")
        self.kubectl.run("get", "srot", "-n", NAMESPACE)
        self.repository.commit("2026-q3", "Rotations as they are today: 2026-q3")

    def rotate_by_commit(self):
        chapter("a commit rotates")
        self.keyturn("plan", "erp-postgres", "-n", NAMESPACE, "--revision", "2026-q4")
        plan = json.loads(self.keyturn("plan", "erp-postgres", "-n", NAMESPACE, "--revision", "2026-q4", "-o", "json", show=False))
        self.second_commit = self.repository.commit("2026-q4", "Rotate: 2026-q4")
        self.wait_settled("2026-q4")
        self.kubectl.run("get", "srot", "-n", NAMESPACE)
        self.keyturn("history", "erp-postgres", "-n", NAMESPACE)
        history = json.loads(self.keyturn("history", "erp-postgres", "-n", NAMESPACE, "-o", "json", show=False))
        planned = [step["description"] for step in plan["steps"]]
        taken = [evidence["what"] for evidence in history["runs"][0]["evidence"]]
        note(f"the run took the {len(planned)} steps of its plan" if planned == taken else f"planned {planned}, but took {taken}")
        if planned != taken:
            self.failures.append("the run did not take the steps of its plan")

    def survive_a_kill(self):
        chapter("SIGKILL in the middle of a rotation")
        self.third_commit = self.repository.commit("2027-q1", "Rotate: 2027-q1")
        in_the_middle = ("Switching", "Publishing", "Rolling", "Verifying")
        self.wait_until("a run in the middle", lambda: self.kubectl.rotation("erp-redis").get("status", {}).get("candidate", {}).get("step") in in_the_middle)
        step = self.kubectl.rotation("erp-redis")["status"].get("candidate", {}).get("step")
        self.controller.kill()
        note(f"controller killed while erp-redis was at {step}")
        time.sleep(1)
        self.controller.start()
        note("controller started again")
        self.wait_settled("2027-q1")

    def go_back_by_itself(self):
        chapter("a bad rollout: the health check fails, and it goes back by itself")
        for app in ("orders", "billing"):
            self.admin("POST", f"/admin/apps/{app}/health", {"rule": "unlessValue", "secret": "credential"})
        note("fault injected: orders and billing are unhealthy with any other value than the one they have")
        self.bad_commit = self.repository.commit("2027-q2", "Rotate: 2027-q2")
        for name in TWO_LIVE:
            self.wait_until(f"{name} rolled back", lambda: self.condition(name, "Ready").get("reason") == "RolledBack" and not self.kubectl.rotation(name)["status"].get("run"))
            note(f"{name}: {self.condition(name, 'Ready')['message']}")
        self.wait_settled("2027-q2", ("erp-reports",))
        self.kubectl.run("get", "srot", "-n", NAMESPACE)
        for app in ("orders", "billing"):
            self.admin("DELETE", f"/admin/apps/{app}/health")
        note("fault removed")

    def revert(self):
        chapter("git revert: the state before comes back")
        self.repository.revert(self.bad_commit)
        self.wait_settled("2027-q1")
        self.repository.revert(self.third_commit)
        self.wait_settled("2026-q4")
        self.kubectl.run("wait", "--for=condition=Ready", "srot", "--all", "-n", NAMESPACE, "--timeout=60s")
        self.kubectl.run("get", "srot", "-n", NAMESPACE, "-o", "wide")
        self.keyturn("status", "-n", NAMESPACE)

    def compare_apis(self):
        """kubectl, the CLI and a gRPC client that learnt the service by reflection must tell the same."""
        with open(self.controller.kubeconfig) as file:
            token = next(line.split(":", 1)[1].strip().strip('"') for line in file if line.strip().startswith("token:"))
        told = {}
        for name in manifests.ROTATIONS:
            told[name] = {"kubectl": self.current(name)}
        for rotation in json.loads(self.keyturn("status", "-n", NAMESPACE, "-o", "json", show=False))["rotations"]:
            told[rotation["name"]]["keyturn"] = rotation["current"]["name"]
        for rotation in grpc_client.list_rotations(self.api["grpc"], self.api["caFile"], token):
            told[rotation.name]["grpc"] = rotation.current.name
        agree = all(len(answers) == 3 and len(set(answers.values())) == 1 for answers in told.values())
        note("kubectl, keyturn and a gRPC client by reflection agree" if agree else f"the APIs disagree: {told}")
        if not agree:
            self.failures.append("the APIs disagree")

    # ---- the end ----

    def report(self):
        chapter("what it came to")
        for prober in self.probers:
            prober.stop()
        runs = json.loads(self.kubectl.run("get", "rrun", "-n", "keyturn-system", "-o", "json", show=False))["items"]
        state = json.loads(self.admin("GET", "/admin/state"))
        versions = {name: len(secret["versions"]) for vault in state["vaults"].values() for name, secret in vault["secrets"].items()}
        print(f"{'ROTATION':<14} {'CLASS':<22} {'RUNS':>4} {'BACK':>4} {'MINTED':>6} {'VERSIONS':>8} {'LOGINS':>7} {'FAILED':>6} {'LONGEST WINDOW':>15}")
        for prober in self.probers:
            mine = [run for run in runs if run["spec"]["rotationRef"]["name"] == prober.label and run["status"].get("stagedVersion")]
            back = [run for run in mine if run["status"]["phase"] == "RolledBack" or run["spec"].get("direction") == "Back"]
            minted = [run for run in mine if run["spec"].get("direction", "Forward") == "Forward"]
            kind = "two live credentials" if prober.label in TWO_LIVE else "one live credential"
            window = f"{prober.window * 1000:.0f} ms" if prober.failed else "none"
            print(f"{prober.label:<14} {kind:<22} {len(mine):>4} {len(back):>4} {len(minted):>6} {versions[prober.secret]:>8} {prober.tried:>7} {prober.failed:>6} {window:>15}")
            if prober.label in TWO_LIVE and prober.failed:
                self.failures.append(f"{prober.failed} logins failed for {prober.label}")
            if len(mine) < 4:
                self.failures.append(f"only {len(mine)} runs of {prober.label}")
        if any(prober.tried < 100 for prober in self.probers):
            self.failures.append("the probers hardly ran")

    def scan_for_leaks(self):
        values = set()
        for prober in self.probers:
            for value in prober.values:
                values.add(value)
                if "://" in value:
                    values.add(urllib.parse.unquote(urllib.parse.urlsplit(value).password))
        scan = leak_scan.Scan(values)
        self.kubectl.run("get", "srot,renv,rrun,events", "-A", "-o", "yaml", show=False)
        self.kubectl.run("describe", "srot", "-n", NAMESPACE, show=False)
        self.keyturn("history", "erp-redis", "-n", NAMESPACE, show=False)
        for where, outputs in (("kubectl", self.kubectl.outputs), ("keyturn", self.keyturn_outputs)):
            for output in outputs:
                scan.text(where, output)
        scan.files(os.path.join(self.controller.folder, "**"))
        scan.files(os.path.join(self.path("sim"), "**"))
        scan.files(os.path.join(self.path("redis"), "*.log"))
        scan.files(os.path.join(self.path("postgres"), "*.log"))
        scan.text("sim journal", self.admin("GET", "/admin/log"))
        scan.text("sim state", self.admin("GET", "/admin/state"))
        scan.processes()
        print(f"leak scan: {scan.values} values in {len(scan.needles)} forms, {scan.bytes / 1e6:.1f} MB searched, {len(scan.hits)} hits")
        if scan.hits:
            self.failures.append("a value leaked: " + ", ".join(sorted(set(scan.hits))))

    def run(self):
        try:
            self.start_systems()
            self.start_probers()
            self.adopt()
            self.rotate_by_commit()
            self.survive_a_kill()
            self.go_back_by_itself()
            self.revert()
            self.compare_apis()
            self.report()
            self.scan_for_leaks()
            if self.controller.process.stop() != 0:
                self.failures.append("the controller did not end cleanly")
        finally:
            for prober in self.probers:
                prober.ending.set()
            if getattr(self, "controller", None) and self.controller.process:
                self.controller.process.stop()
            for process in reversed(self.processes):
                process.stop()
        for failure in self.failures:
            print(f"FAILED: {failure}")
        if not self.failures:
            shutil.rmtree(self.folder, ignore_errors=True)
            print("all as promised")
        else:
            print(f"logs are in {self.folder}")
        return 1 if self.failures else 0


def main():
    parser = argparse.ArgumentParser(description="Keyturn's main job on real local servers.")
    parser.add_argument("--bin", default="build/dev", help="the build folder")
    parser.add_argument("--kubectl", help="which kubectl to use")
    sys.exit(Demo(parser.parse_args()).run())


if __name__ == "__main__":
    main()
