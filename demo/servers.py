"""Real local servers for the demo, each in a folder of its own, on loopback and a free port, gone when the demo ends."""
import glob
import hashlib
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_private(path, text):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    return path


def wait_for(what, ready, process=None, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise SystemExit(f"demo: {what} ended with code {process.returncode}; see its log")
        if ready():
            return
        time.sleep(0.02)
    raise SystemExit(f"demo: {what} was not ready within {seconds} s")


class Process:
    """A child with its output in a log file."""

    def __init__(self, name, command, folder, **options):
        self.name = name
        self.log = os.path.join(folder, f"{name}.log")
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options)

    def stop(self, how=signal.SIGTERM):
        if self.child.poll() is None:
            self.child.send_signal(how)
            try:
                self.child.wait(20)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        return self.child.returncode


class Redis:
    """One node with an ACL file, an administrator and the application's user."""

    def __init__(self, folder):
        binary = shutil.which("redis-server")
        if not binary:
            raise SystemExit("demo: redis-server is missing; install Debian's package redis-server")
        os.makedirs(folder)
        self.port = free_port()
        self.password = secrets.token_urlsafe(24)
        admin = secrets.token_urlsafe(24)
        self.admin_file = write_private(os.path.join(folder, "admin"), admin)
        digest = lambda text: hashlib.sha256(text.encode()).hexdigest()
        users = [f"user default off", f"user keyturn on #{digest(admin)} ~* &* +@all", f"user app on #{digest(self.password)} ~* &* +@all"]
        acl = write_private(os.path.join(folder, "users.acl"), "\n".join(users) + "\n")
        config = f"bind 127.0.0.1\nport {self.port}\nsave \"\"\ndir {folder}\naclfile {acl}\nprotected-mode no\n"
        self.process = Process("redis", [binary, write_private(os.path.join(folder, "redis.conf"), config)], folder)
        wait_for("redis", self.accepts_connections, self.process.child)

    def accepts_connections(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Postgres:
    """A cluster with an administrator, two roles that alternate and one that is rotated in place."""

    ROLES = ("app_a", "app_b", "reports")

    def __init__(self, folder):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
        if not found:
            raise SystemExit("demo: PostgreSQL's server is missing; install Debian's package postgresql")
        self.bin = os.path.dirname(found[-1])
        self.folder = folder
        os.makedirs(folder)
        os.chmod(os.path.dirname(folder), 0o755)
        self.port = free_port()
        self.admin = secrets.token_urlsafe(24)
        self.passwords = {role: secrets.token_urlsafe(24) for role in self.ROLES}
        self.admin_file = write_private(os.path.join(folder, "admin"), self.admin)
        password_file = write_private(os.path.join(folder, "initdb-password"), self.admin)
        self.user = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            account = pwd.getpwnam("postgres")
            for path in (folder, password_file):
                os.chown(path, account.pw_uid, account.pw_gid)
            self.user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        data = os.path.join(folder, "data")
        init = [f"{self.bin}/initdb", "-D", data, "-U", "keyturn", "-A", "scram-sha-256", f"--pwfile={password_file}", "--no-sync", "-E", "UTF8"]
        done = subprocess.run(init, cwd="/", capture_output=True, text=True, **self.user)
        if done.returncode != 0:
            raise SystemExit(f"demo: initdb failed: {done.stderr.strip()}")
        os.unlink(password_file)
        options = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off", "-c", "log_statement=all"]
        self.process = Process("postgres", [f"{self.bin}/postgres", "-D", data, "-p", str(self.port), *options], folder, cwd="/", **self.user)
        wait_for("postgres", self.create_roles, self.process.child)

    def create_roles(self):
        import psycopg2
        try:
            session = psycopg2.connect(host="127.0.0.1", port=self.port, user="keyturn", password=self.admin, dbname="postgres")
        except psycopg2.OperationalError:
            return False
        with session, session.cursor() as cursor:
            cursor.execute("SET log_statement = 'none'")
            for role, password in self.passwords.items():
                cursor.execute(f"CREATE ROLE {role} LOGIN PASSWORD %s", (password,))
        session.close()
        return True

    def url(self, role):
        return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{self.port}/postgres"


class Simulator:
    """keyturn-sim with one vault and three container apps; the platform's own waits pass 60 times faster."""

    CLIENT_ID = "30000000-0000-4000-8000-000000000003"  # the controller's; made up

    def __init__(self, binary, folder, secrets_of_vault, apps):
        os.makedirs(folder)
        self.client_secret = secrets.token_urlsafe(24)
        self.client_secret_file = write_private(os.path.join(folder, "client-secret"), self.client_secret)
        self.prober_secret = secrets.token_urlsafe(24)
        seed = {
            "principals": [
                {"clientId": self.CLIENT_ID, "clientSecret": self.client_secret, "arm": ["read", "write", "restart"]},
                {"clientId": "prober", "clientSecret": self.prober_secret, "arm": []},
            ],
            "vaults": [{"name": "main", "secrets": [{"name": name, "value": value} for name, value in secrets_of_vault.items()]}],
            "apps": [
                {
                    "name": app,
                    "resourceGroup": "demo",
                    "replicas": 2,
                    "secrets": [{"name": "credential", "keyVaultUrl": f"{{vault:main}}/secrets/{secret}", "identity": "system"}],
                }
                for app, secret in apps.items()
            ],
        }
        seed_file = write_private(os.path.join(folder, "seed.json"), json.dumps(seed))
        ready = os.path.join(folder, "ready.json")
        command = [binary, "--vault", "main=0", "--seed", seed_file, "--state-dir", os.path.join(folder, "state"), "--ready-file", ready, "--speed", "60"]
        self.process = Process("keyturn-sim", command, folder)
        wait_for("keyturn-sim", lambda: os.path.exists(ready), self.process.child)
        os.unlink(seed_file)
        with open(ready) as file:
            self.ready = json.load(file)
