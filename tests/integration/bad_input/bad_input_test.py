"""What people get wrong, and what they are told: the real programs with wrong flags, files, ports, manifests, tokens and a full disk."""
import argparse
import hashlib
import os
import resource
import shutil
import signal
import socket
import sqlite3
import ssl
import stat
import subprocess
import sys
import tempfile
import textwrap
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from running import Controller, obey_permissions, run

BIN = ""

ROTATIONS = "/apis/keyturn.dev/v1alpha1/namespaces/default/secretrotations"

UNKNOWN_ENVIRONMENT = textwrap.dedent("""\
    apiVersion: keyturn.dev/v1alpha1
    kind: SecretRotation
    metadata: {name: lonely}
    spec:
      environmentRef: {name: nowhere}
      revision: 2026-q3
      secret: {vaults: [main], name: Lonely--Password, format: {type: Opaque}}
      generator: {type: Password, length: 32}
      strategy: {type: InPlace, acknowledgeOutage: true}
    """)

THREE_MISTAKES = textwrap.dedent("""\
    apiVersion: keyturn.dev/v1alpha1
    kind: SecretRotation
    metadata: {name: mistaken}
    spec:
      environmentRef: {name: dev}
      revision: "not a revision!"
      secret: {vaults: [main], name: "bad_name!", format: {type: Nonsense}}
      generator: {type: Password, length: 3}
      strategy: {type: InPlace, acknowledgeOutage: true}
    """)


def binary(name):
    return os.path.join(BIN, name)


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest(), os.stat(path).st_mtime_ns


def is_readable(text):
    return all(c == "\n" or c.isprintable() for c in text)


def namespace(name, filler=""):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "annotations": {"example.com/filler": filler}}}


class Scratch(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="keyturn-bad-input-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def controller(self, data="data", *arguments, **options):
        started = Controller(binary("controller/keyturn-controller"), self.path(data), *arguments, **options)
        self.addCleanup(self.end, started)
        return started

    @staticmethod
    def end(started):
        if started.process.poll() is None:
            started.process.kill()
            started.wait_end()

    def refused(self, *says, data="data", arguments=(), **options):
        """Starts, and ends by itself with 1 and a message."""
        started = self.controller(data, *arguments, **options)
        self.assertEqual(started.wait_end(), 1, started.output())
        for text in ("keyturn-controller: ", *says):
            self.assertIn(text, started.output())
        return started.output()

    def keyturn(self, *arguments, **variables):
        return run([binary("cli/keyturn"), *arguments], self.folder, variables=variables)


class Flags(Scratch):
    def told(self, *arguments, says, **variables):
        """The data directory is given, so that a mistake which is not noticed writes nowhere else; the time limit ends such a run."""
        command = [binary("controller/keyturn-controller"), "--data-dir", self.path("data"), "--port", "0", "--grpc-port", "0", *arguments]
        try:
            done = run(command, self.folder, variables=variables)
        except subprocess.TimeoutExpired:
            self.fail(f"not noticed: {arguments} {variables}")
        self.assertEqual(done.returncode, 2, done.stderr)
        for text in (says, "See keyturn-controller --help."):
            self.assertIn(text, done.stderr)
        self.assertTrue(is_readable(done.stderr), repr(done.stderr))
        self.assertEqual(done.stdout, "")
        self.assertFalse(os.path.exists(self.path("data")))

    def test_an_unknown_flag_is_named(self):
        self.told("--nope", says="--nope")

    def test_a_stray_word_is_named(self):
        self.told("stray", says="stray")

    def test_a_flag_without_its_value_is_named(self):
        self.told("--git-url", says="--git-url")

    def test_numbers_out_of_range_name_their_flag(self):
        for flag in ("--workers", "--git-interval"):
            self.told(flag, "0", says=flag)
        self.told("--workers", "many", says="--workers")

    def test_words_that_are_no_choice_name_their_flag_and_the_choices(self):
        self.told("--mode", "everywhere", says="standalone")
        self.told("--log-level", "loud", says="--log-level")
        self.told("--log-format", "xml", says="--log-format")

    def test_a_bad_variable_names_its_flag(self):
        self.told(says="--workers", KEYTURN_WORKERS="many")

    def test_a_missing_config_file_is_named(self):
        self.told("--config", self.path("missing.toml"), says="missing.toml")

    def test_an_unknown_setting_in_the_config_file_is_named(self):
        self.told("--config", self.write("config.toml", "wokers = 4\n"), says="wokers")

    def test_port_and_its_flag_are_named_when_it_is_no_port(self):
        for flag in ("--port", "--grpc-port"):
            for value in ("99999", "x"):
                command = [binary("controller/keyturn-controller"), "--data-dir", self.path("data"), flag, value]
                done = run(command, self.folder)
                self.assertEqual(done.returncode, 2)
                self.assertIn(flag, done.stderr)


class Ports(Scratch):
    def setUp(self):
        super().setUp()
        taken = socket.socket()
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        self.port = str(taken.getsockname()[1])

    def test_a_port_in_use_is_named_and_nothing_is_lost(self):
        self.refused(f"port {self.port} of 127.0.0.1: the port is in use", arguments=("--port", self.port))
        self.assertEqual(self.controller().wait_ready().stop(), 0)

    def test_a_grpc_port_in_use_is_named(self):
        self.refused(f"gRPC port {self.port}: the address 127.0.0.1:{self.port} cannot be bound; is the port in use?", arguments=("--grpc-port", self.port))

    def test_an_address_that_is_none_is_refused(self):
        self.refused("port 0 of nonsense: listen address is not an IP address", arguments=("--address", "nonsense"))


class DataDirectory(Scratch):
    def test_one_that_is_a_file_is_refused_and_kept(self):
        self.write("data", "mine")
        self.refused(f"the data directory {self.path('data')} cannot be made: Not a directory")
        with open(self.path("data")) as file:
            self.assertEqual(file.read(), "mine")

    def test_one_below_a_folder_that_may_not_be_written_is_refused(self):
        os.mkdir(self.path("locked"), 0o500)
        self.refused(f"the data directory {self.path('locked/data')} cannot be made: Permission denied", data="locked/data", preexec_fn=obey_permissions)

    def test_one_that_no_folder_can_hold_is_refused(self):
        self.refused("the data directory /proc/keyturn cannot be made", data="/proc/keyturn")

    def test_a_second_controller_on_it_is_refused_and_the_first_serves_on(self):
        first = self.controller().wait_ready()
        self.refused("keyturn.db: the store is in use by another process")
        self.assertEqual(first.request("GET", ROTATIONS)[0], 200)
        self.assertEqual(first.stop(), 0)

    def test_a_ready_file_that_cannot_be_written_ends_it(self):
        self.refused("the ready file", "cannot be written", arguments=("--ready-file", self.path("no/such/folder/ready")))

    def test_a_kubeconfig_that_cannot_be_written_ends_it(self):
        self.refused("the kubeconfig /proc/keyturn/kubeconfig", arguments=("--kubeconfig", "/proc/keyturn/kubeconfig"))


class DamagedFiles(Scratch):
    def setUp(self):
        super().setUp()
        self.database = self.path("data", "keyturn.db")

    def used_once(self):
        """A data directory with an object in it, its log folded into the database."""
        started = self.controller().wait_ready()
        self.assertEqual(started.request("POST", "/api/v1/namespaces", namespace("kept"))[0], 201)
        self.assertEqual(started.stop(), 0)

    def refused_untouched(self, *says):
        before = digest(self.database)
        self.refused(*says)
        self.assertEqual(digest(self.database), before)

    def test_a_file_that_is_no_database_is_refused_and_left_alone(self):
        os.mkdir(self.path("data"))
        self.write("data/keyturn.db", "this is no database, but somebody may want it back\n" * 100)
        self.refused_untouched("keyturn.db: the store's file is damaged or not a database: restore it from a backup")

    def test_another_programs_database_is_refused_and_left_alone(self):
        os.mkdir(self.path("data"))
        with sqlite3.connect(self.database) as other:
            other.execute("CREATE TABLE cookies(host TEXT)")
        other.close()
        self.refused_untouched("another program's database")

    def test_a_damaged_store_is_refused_and_left_alone(self):
        self.used_once()
        size = os.path.getsize(self.database)
        self.assertGreater(size, 8192)
        with open(self.database, "r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * (size - 4096))
        self.refused_untouched("damaged", "restore it from a backup")

    def test_a_store_without_its_key_is_refused_and_no_key_is_made(self):
        self.used_once()
        os.rename(self.database + ".key", self.path("key"))
        self.refused_untouched("the key file of the store is missing")
        self.assertFalse(os.path.exists(self.database + ".key"))
        os.rename(self.path("key"), self.database + ".key")
        started = self.controller().wait_ready()
        self.assertEqual(started.request("GET", "/api/v1/namespaces/kept")[0], 200)

    def test_a_key_that_others_can_read_is_refused(self):
        self.used_once()
        os.chmod(self.database + ".key", 0o644)
        self.refused_untouched("accessible to others", "0600")

    def test_a_malformed_tokens_file_is_refused(self):
        self.used_once()
        with open(self.path("data/tokens"), "a") as file:
            file.write("nonsense\n")
        self.refused("the tokens file")


class Manifests(Scratch):
    binary = None  # the first of the kubectls; one class is made for each of the others

    def setUp(self):
        super().setUp()
        self.started = self.controller().wait_ready()

    def kubectl(self, *arguments):
        return run([self.binary or kubectls()[0], "--kubeconfig", self.started.kubeconfig, *arguments], self.folder)

    def refusal(self, text):
        done = self.kubectl("apply", "-f", self.write("manifest.yaml", text))
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_all_mistakes_are_told_at_once_with_what_would_be_right(self):
        said = self.refusal(THREE_MISTAKES)
        for text in ('The SecretRotation "mistaken" is invalid', "spec.revision", "spec.secret.name", "spec.secret.format.type", "spec.generator.length"):
            self.assertIn(text, said)
        # Hints: the choices of a word, the limit of a number, an example for a pattern.
        for hint in ("supported values", "greater than or equal to"):
            self.assertIn(hint, said)

    def test_unknown_fields_are_named(self):
        said = self.refusal(UNKNOWN_ENVIRONMENT.replace("  revision:", "  revison: 2026-q4\n  revision:"))
        self.assertRegex(said, r'unknown field "(spec\.)?revison"')  # an older kubectl finds it before the server does

    def test_what_is_missing_is_named(self):
        said = self.refusal(UNKNOWN_ENVIRONMENT.replace("  environmentRef: {name: nowhere}\n", ""))
        self.assertRegex(said, r'spec\.environmentRef: Required value|missing required field "environmentRef"')

    def test_a_kind_that_is_not_served_is_refused(self):
        self.assertIn("no matches for kind", self.refusal(UNKNOWN_ENVIRONMENT.replace("SecretRotation", "SecretRotator")))

    def test_a_namespace_that_does_not_exist_is_named(self):
        self.assertIn('namespaces "elsewhere" not found', self.refusal(UNKNOWN_ENVIRONMENT.replace("lonely}", "lonely, namespace: elsewhere}")))

    def test_a_body_that_is_no_json_is_refused(self):
        status, said = self.started.request("POST", ROTATIONS, "a string is no object")
        self.assertEqual((status, said["kind"], said["reason"]), (400, "Status", "BadRequest"))

    def test_an_unknown_environment_is_warned_of_and_shown_as_stalled(self):
        done = self.kubectl("apply", "-f", self.write("manifest.yaml", UNKNOWN_ENVIRONMENT))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Warning:", done.stderr)
        self.assertIn("spec.environmentRef.name", done.stderr)
        waited = self.kubectl("wait", "--for=condition=Stalled", "srot/lonely", "--timeout=30s")
        self.assertEqual(waited.returncode, 0, waited.stderr)
        conditions = self.started.request("GET", ROTATIONS + "/lonely")[1]["status"]["conditions"]
        stalled = [condition for condition in conditions if condition["type"] == "Stalled"]
        self.assertEqual([(one["status"], one["reason"]) for one in stalled], [("True", "InvalidReference")])


class CommandLine(Scratch):
    def fails(self, *arguments, says, **variables):
        done = self.keyturn(*arguments, **variables)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertTrue(is_readable(done.stderr), repr(done.stderr))
        for text in says if isinstance(says, tuple) else (says,):
            self.assertIn(text, done.stderr)

    def changed_kubeconfig(self, started, old, new):
        with open(started.kubeconfig) as file:
            text = file.read()
        self.assertIn(old, text)
        return self.write("changed", text.replace(old, new))

    def test_a_missing_kubeconfig_is_named_with_what_to_do(self):
        self.fails("status", says=(f"there is no kubeconfig at {self.path('.keyturn/kubeconfig')}", "--kubeconfig", "--server"))
        self.fails("status", "--kubeconfig", self.path("nowhere"), says=self.path("nowhere"))

    def test_a_kubeconfig_that_is_none_is_refused_without_quoting_it(self):
        bad = self.write("bad", "token: [broken-9f2c\n")
        done = self.keyturn("status", "--kubeconfig", bad)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is not valid YAML", done.stderr)
        self.assertNotIn("broken-9f2c", done.stderr)

    def test_an_unreachable_server_is_named(self):
        started = self.controller().wait_ready()
        self.assertEqual(started.stop(), 0)
        self.fails("status", "--kubeconfig", started.kubeconfig, says=(f"{started.api} cannot be reached", "is the controller running"))

    def test_a_token_that_is_not_accepted_is_told_and_not_shown(self):
        started = self.controller().wait_ready()
        wrong = self.changed_kubeconfig(started, started.token, "not-the-token-4b1d")
        for verb in (("status",), ("plan", "any"), ("history", "any"), ("watch",)):
            done = self.keyturn(*verb, "--kubeconfig", wrong)
            self.assertEqual(done.returncode, 1, verb)
            self.assertIn("does not accept the token", done.stderr)
            self.assertNotIn("not-the-token-4b1d", done.stdout + done.stderr)
        self.assertEqual(started.request("GET", ROTATIONS, token="not-the-token-4b1d")[0], 401)

    def test_another_controllers_kubeconfig_is_told_by_the_certificate(self):
        first = self.controller("first").wait_ready()
        second = self.controller("second").wait_ready()
        mixed = self.changed_kubeconfig(first, first.api, second.api)
        self.fails("status", "--kubeconfig", mixed, says=("the certificate of", "cannot be trusted"))

    def test_a_rotation_that_does_not_exist_is_named(self):
        started = self.controller().wait_ready()
        for verb in ("status", "plan", "history"):
            self.fails(verb, "absent", "--kubeconfig", started.kubeconfig, says="absent")

    def test_wrong_arguments_are_named(self):
        self.fails("rotate", says=('unknown command "rotate" for "keyturn"', "keyturn --help"))
        self.fails("plan", says="name")
        self.fails("status", "-o", "xml", says="--output")
        self.fails("status", "--request-timeout", "soon", says="--request-timeout")


class Grpc(Scratch):
    def setUp(self):
        super().setUp()
        self.started = self.controller().wait_ready()

    def test_http_2_is_spoken_over_tls_and_nothing_else(self):
        host, port = self.started.grpc.split(":")
        context = ssl.create_default_context(cadata=self.started.ca)
        context.set_alpn_protocols(["h2"])
        with socket.create_connection((host, int(port)), timeout=30) as plain, context.wrap_socket(plain, server_hostname=host) as secured:
            self.assertEqual(secured.selected_alpn_protocol(), "h2")
            self.assertIn(secured.version(), ("TLSv1.2", "TLSv1.3"))

    def test_the_service_is_listed_by_reflection(self):
        try:
            import grpc
        except ImportError:
            return  # Debian's python3-grpcio is no dependency of ours; the C++ tests call reflection in any case.
        channel = grpc.secure_channel(self.started.grpc, grpc.ssl_channel_credentials(self.started.ca.encode()))
        self.addCleanup(channel.close)
        call = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
        list_services = b"\x3a\x00"  # field 7, an empty string
        metadata = (("authorization", f"Bearer {self.started.token}"),)
        answer = next(call(iter([list_services]), timeout=30, metadata=metadata))
        self.assertIn(b"keyturn.v1alpha1.", answer)


class Ending(Scratch):
    def test_both_signals_end_it_with_0(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            self.assertEqual(self.controller().wait_ready().stop(how), 0)

    def test_a_watch_that_is_open_does_not_hold_it_up(self):
        started = self.controller().wait_ready()
        host, port = started.api.removeprefix("https://").split(":")
        context = ssl.create_default_context(cadata=started.ca)
        with socket.create_connection((host, int(port)), timeout=30) as plain, context.wrap_socket(plain, server_hostname=host) as watch:
            request = f"GET {ROTATIONS}?watch=true HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {started.token}\r\n\r\n"
            watch.sendall(request.encode())
            self.assertIn(b" 200 ", watch.recv(4096))
            self.assertEqual(started.stop(), 0)


class FullDisk(Scratch):
    FILLER = "x" * 100_000

    def fill(self, started):
        """Writes until one write is refused; returns the names that were accepted and the refusal."""
        accepted = []
        for number in range(400):
            name = f"filler-{number}"
            status, said = started.request("POST", "/api/v1/namespaces", namespace(name, self.FILLER))
            if status != 201:
                return accepted, status, said
            accepted.append(name)
        self.fail("the disk never filled up")

    def check_full(self, started):
        accepted, status, said = self.fill(started)
        self.assertGreater(len(accepted), 0)
        self.assertEqual((said["kind"], said["status"]), ("Status", "Failure"), said)
        self.assertIn(status, (500, 503))
        self.assertEqual(started.request("GET", f"/api/v1/namespaces/{accepted[-1]}")[0], 200)
        self.assertEqual(started.stop(), 0, started.output())
        self.assertIn("a write to the store failed", started.output())  # complete only now: it is read beside the requests
        return accepted

    def check_kept(self, accepted):
        started = self.controller().wait_ready()
        for name in accepted:
            status, said = started.request("GET", f"/api/v1/namespaces/{name}")
            self.assertEqual(status, 200, name)
            self.assertEqual(said["metadata"]["annotations"]["example.com/filler"], self.FILLER)
        self.assertEqual(started.request("POST", "/api/v1/namespaces", namespace("after"))[0], 201)
        self.assertEqual(started.stop(), 0)

    def test_a_write_beyond_the_file_size_limit_is_refused_and_nothing_is_lost(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, 2 << 20))

        # Python ignores SIGXFSZ; the child keeps that, so that the write fails instead of ending the process.
        started = self.controller(preexec_fn=limit, restore_signals=False).wait_ready()
        self.check_kept(self.check_full(started))

    def test_a_full_file_system_is_told_and_nothing_is_lost(self):
        os.mkdir(self.path("data"))
        mounted = os.geteuid() == 0 and run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "none", self.path("data")], self.folder).returncode == 0
        if not mounted:
            return  # Only root may make a file system that small; the limit above fails the same writes.
        self.addCleanup(run, ["umount", "-l", self.path("data")], self.folder)
        accepted = self.check_full(self.controller().wait_ready())
        self.assertEqual(run(["mount", "-o", "remount,size=64m", self.path("data")], self.folder).returncode, 0)
        self.check_kept(accepted)


class Privacy(Scratch):
    def test_what_is_kept_is_readable_by_its_owner_only(self):
        self.assertEqual(self.controller().wait_ready().stop(), 0)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("data")).st_mode), 0o700)
        for name in os.listdir(self.path("data")):
            self.assertEqual(stat.S_IMODE(os.stat(self.path("data", name)).st_mode) & 0o077, 0, name)


def kubectls():
    listed = os.environ.get("KEYTURN_KUBECTL") or shutil.which("kubectl") or ""
    return [binary for binary in listed.split(":") if binary]


def main():
    global BIN
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="the build folder")
    options, rest = parser.parse_known_args()
    BIN = os.path.abspath(options.bin)
    if not kubectls():
        sys.exit("kubectl is missing: install Debian's package kubernetes-client")
    for number, binary in enumerate(kubectls()[1:], start=2):
        name = f"ManifestsOfKubectl{number}"
        globals()[name] = type(name, (Manifests,), {"binary": binary})
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
