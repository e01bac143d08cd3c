"""Logs in with the published value, every 50 ms, for as long as it runs: what an application that starts at this moment would do.

Each attempt reads the secret from the vault anew and opens a fresh connection, with client code that is not Keyturn's.
"""
import json
import socket
import ssl
import threading
import time
import urllib.parse
import urllib.request

PERIOD = 0.05


class Vault:
    """A versionless read of one secret, as an application does it."""

    def __init__(self, ready, client_secret):
        self.ready = ready
        self.tls = ssl.create_default_context(cafile=ready["caFile"])
        self.client_secret = client_secret
        self.token = ""
        self.renew_at = 0.0

    def authorize(self):
        form = {"grant_type": "client_credentials", "client_id": "prober", "client_secret": self.client_secret, "scope": "https://vault.azure.net/.default"}
        url = f"{self.ready['authority']}/{self.ready['tenant']}/oauth2/v2.0/token"
        with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode(), timeout=10, context=self.tls) as reply:
            self.token = json.load(reply)["access_token"]
        self.renew_at = time.monotonic() + 600

    def read(self, name):
        if time.monotonic() > self.renew_at:
            self.authorize()
        url = f"{self.ready['vaults']['main']['url']}/secrets/{name}/?api-version=7.4"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=10, context=self.tls) as reply:
            return json.load(reply)["value"]


def redis_login(port, password):
    """True when AUTH as `app` is accepted; the reply is checked, not only that one came."""
    words = [b"AUTH", b"app", password.encode()]
    message = b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(message)
        return connection.recv(256).startswith(b"+OK")


def postgres_login(url):
    import psycopg2
    try:
        psycopg2.connect(url, connect_timeout=10).close()
        return True
    except psycopg2.OperationalError:
        return False


class Prober(threading.Thread):
    """One system. `window` is the longest time without a successful login."""

    def __init__(self, label, vault, secret, login):
        super().__init__(daemon=True)
        self.label = label
        self.vault = vault
        self.secret = secret
        self.login = login
        self.tried = 0
        self.failed = 0
        self.errors = 0
        self.window = 0.0
        self.values = set()
        self.ending = threading.Event()

    def run(self):
        broken_since = None
        while not self.ending.is_set():
            begun = time.monotonic()
            try:
                value = self.vault.read(self.secret)
                self.values.add(value)
                accepted = self.login(value)
            except OSError:  # the vault or the system could not be asked at all
                self.errors += 1
                accepted = False
            self.tried += 1
            if accepted:
                if broken_since is not None:
                    self.window = max(self.window, time.monotonic() - broken_since)
                broken_since = None
            else:
                self.failed += 1
                broken_since = broken_since or begun
            self.ending.wait(max(0.0, PERIOD - (time.monotonic() - begun)))

    def stop(self):
        self.ending.set()
        self.join()
