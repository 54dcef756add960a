"""etcd from build/tools, never installed: one member or three, with or without TLS."""
import base64
import contextlib
import json
import os
import ssl
import urllib.request

from bed import end_process, run, wait_for
from tools import need


def b64(text):
    return base64.b64encode(text.encode()).decode()


class Certificates:
    """A CA and one certificate for all members. It names no common name: with users on, etcd's gateway
    would refuse it."""

    def __init__(self, folder, addresses):
        self.ca, self.key, self.cert = (os.path.join(folder, name)
                                        for name in ("ca.pem", "member.key", "member.pem"))
        ca_key = os.path.join(folder, "ca.key")
        run("openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", ca_key, "-out", self.ca,
            "-subj", "/O=wgkit test", "-days", "2")
        request = os.path.join(folder, "member.csr")
        run("openssl", "req", "-newkey", "ed25519", "-nodes", "-keyout", self.key, "-out", request,
            "-subj", "/O=store")
        extensions = os.path.join(folder, "member.ext")
        with open(extensions, "w", encoding="ascii") as file:
            file.write("subjectAltName=" + ",".join(f"IP:{a}" for a in addresses) +
                       "\nextendedKeyUsage=serverAuth,clientAuth\n")
        run("openssl", "x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key,
            "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", self.cert)


class Member:
    def __init__(self, store, index):
        self.store, self.index = store, index
        self.address = store.addresses[index]
        self.url = f"{store.scheme}://{self.address}:2379"
        self.process = None

    def start(self):
        store = self.store
        options = {"name": f"m{self.index}", "data-dir": os.path.join(store.folder, f"etcd{self.index}"),
                   "listen-client-urls": self.url, "advertise-client-urls": self.url,
                   "listen-peer-urls": f"http://{self.address}:2380",
                   "initial-advertise-peer-urls": f"http://{self.address}:2380",
                   "initial-cluster": ",".join(f"m{i}=http://{a}:2380"
                                               for i, a in enumerate(store.addresses)),
                   # A busy machine is no dead member.
                   "heartbeat-interval": "200", "election-timeout": "2000", "unsafe-no-fsync": None}
        if store.certificates:
            options |= {"cert-file": store.certificates.cert, "key-file": store.certificates.key}
        argv = [f"--{name}" + (f"={value}" if value is not None else "") for name, value in options.items()]
        log = open(os.path.join(store.folder, f"etcd{self.index}.log"), "ab")  # noqa: SIM115
        self.process = store.namespace.start(store.etcd, *argv, stdout=log, stderr=log)
        store.bed.process(self.process)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        end_process(self.process)


class Store:
    def __init__(self, bed, namespace, addresses, tls=False):
        self.etcd = need("etcd", "etcd-server")
        self.bed, self.namespace, self.addresses = bed, namespace, addresses
        self.folder = bed.folder
        self.scheme = "https" if tls else "http"
        self.certificates = Certificates(bed.folder, addresses) if tls else None
        self.members = [Member(self, i) for i in range(len(addresses))]
        for member in self.members:
            member.start()
        self.wait()

    @property
    def url(self):
        return ("etcd://" if self.certificates else "etcd+http://") + ",".join(self.addresses)

    def call(self, path, body, token=None, member=0):
        """The answer of one member; its errors as an HTTPError."""
        with self.namespace.entered():
            request = urllib.request.Request(self.members[member].url + path, json.dumps(body).encode())
            if token:
                request.add_header("Authorization", token)
            context = ssl.create_default_context(cafile=self.certificates.ca) if self.certificates else None
            with urllib.request.urlopen(request, timeout=10, context=context) as answer:
                return json.load(answer)

    def login(self, user, password):
        return self.call("/v3/auth/authenticate", {"name": user, "password": password})["token"]

    def get(self, key, token=None):
        found = self.call("/v3/kv/range", {"key": b64(key)}, token).get("kvs")
        return base64.b64decode(found[0]["value"]).decode() if found else None

    def keys(self, prefix, token=None):
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        found = self.call("/v3/kv/range", {"key": b64(prefix), "range_end": b64(end)}, token).get("kvs", [])
        return {base64.b64decode(one["key"]).decode(): base64.b64decode(one["value"]).decode()
                for one in found}

    def put(self, key, value, token=None):
        self.call("/v3/kv/put", {"key": b64(key), "value": b64(value)}, token)

    def wait(self, seconds=60):
        def healthy():
            with contextlib.suppress(OSError):
                with self.namespace.entered():
                    context = (ssl.create_default_context(cafile=self.certificates.ca)
                               if self.certificates else None)
                    with urllib.request.urlopen(self.members[0].url + "/health", timeout=5,
                                                context=context) as answer:
                        return json.load(answer)["health"] == "true"
            return False
        wait_for("the store", healthy, seconds, 0.1)


