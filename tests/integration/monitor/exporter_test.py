#!/usr/bin/python3
"""What wgkit monitor exports, read by those who shall read it: promtool, a strict parser of OpenMetrics, a Prometheus
that scrapes `wgkit monitor serve` and a node_exporter with our file, and the queries of the dashboard and the rules."""
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from checks import check, failures, free_port  # noqa: E402
from serve_test import MONITOR, NAMES, Serving, dump, key, make_state  # noqa: E402
from tools import ROOT, missing, need  # noqa: E402

PROMTOOL = need("promtool", "prometheus")
PROMETHEUS = need("prometheus", "prometheus")
NODE_EXPORTER = need("prometheus-node-exporter", "prometheus-node-exporter")
try:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
except ImportError:
    missing("prometheus_client", "python3-prometheus-client")
DASHBOARD = os.path.join(ROOT, "examples", "grafana", "wgkit-peers.json")
NODE, SERVER = free_port(), free_port()
RULES = os.path.join(ROOT, "examples", "prometheus", "wgkit.rules.yaml")


def lint(text, what):
    ran = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False)
    check(ran.returncode == 0 and not ran.stdout + ran.stderr, f"promtool about {what}: {ran.stdout}{ran.stderr}")


def texts(one):
    """Every text is clean, and OpenMetrics as strictly as its reference parser wants it."""
    lint(one.get("/metrics")[2], "serve")
    for names in ("own", "mindflavor", "mdlayher"):
        ran = subprocess.run([MONITOR, "--dump", "/dev/null", "--state", "state-of-none", "--format", "prometheus", "--compat",
                              names], capture_output=True, text=True, timeout=60, check=False)
        lint(ran.stdout, f"{names}, no peers")
    with open("textfile/wgkit.prom", encoding="utf-8") as file:
        lint(file.read(), "the text file")
    families = list(text_string_to_metric_families(one.get("/metrics", Accept="application/openmetrics-text")[2]))
    samples = {(sample.name, sample.labels.get("peer", "")): sample for family in families for sample in family.samples}
    check(samples[("wgkit_peer_level", "database")].value == 2, "a level")
    check(samples[("wgkit_peer_receive_bytes_total", NAMES[5])].labels["public_key"] == key(5), "a hostile name")
    check(("wgkit_peer_last_handshake_timestamp_seconds", "new-laptop") not in samples, "never has a time")
    types = {family.name: family.type for family in families}
    check(types["wgkit_peer_receive_bytes"] == "counter" and types["wgkit_peer"] == "info", f"types: {types}")


class Running:
    def __init__(self, *command):
        self.command = command

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=open("log", "ab"), stderr=subprocess.STDOUT)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)


def query(expr):
    url = f"http://127.0.0.1:{SERVER}/api/v1/query?" + urllib.parse.urlencode({"query": expr})
    with urllib.request.urlopen(url, timeout=20) as answer:
        return json.load(answer)["data"]["result"]


def value(expr):
    try:
        return [float(row["value"][1]) for row in query(expr)]
    except OSError:
        return []


def wait(what, condition, limit=60):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            check(False, f"{what} within {limit} s")
            return
        time.sleep(0.3)


def expressions():
    with open(DASHBOARD, encoding="utf-8") as file:
        dashboard = json.load(file)
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], (target["expr"].replace('=~"$interface"', '=~".*"').replace('=~"$peer"', '=~".*"')
                                   .replace("$__rate_interval", "1m"))


def scraped(one):
    with open("prometheus.yaml", "w", encoding="utf-8") as file:
        json.dump({"global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [RULES],
                   "scrape_configs": [
                       {"job_name": "serve", "static_configs": [{"targets": [f"127.0.0.1:{one.port}"]}]},
                       {"job_name": "file", "static_configs": [{"targets": [f"127.0.0.1:{NODE}"]}]}]}, file)
    node = Running(NODE_EXPORTER, f"--web.listen-address=127.0.0.1:{NODE}", "--collector.disable-defaults",
                   "--collector.textfile", f"--collector.textfile.directory={os.getcwd()}/textfile")
    prometheus = Running(PROMETHEUS, "--config.file=prometheus.yaml", "--storage.tsdb.path=tsdb",
                         f"--web.listen-address=127.0.0.1:{SERVER}", "--log.level=error")
    with node, prometheus:
        wait("both are scraped", lambda: value('count by (job) (wgkit_peer_level)') == [9, 9])
        check(value("node_textfile_scrape_error") == [0], "node_exporter reads the file")
        check(value('wgkit_peer_level{job="serve",peer="database"}') == [2], "the dead peer")
        check([row["metric"]["state"] for row in query('wgkit_peer_state{job="file",peer="anna-phone"}')] == ["idle"], "idle")
        wait("two scrapes", lambda: len(value("rate(wgkit_peer_receive_bytes_total[1m])")) == 18)
        for title, expr in expressions():
            check(value(expr), f"the panel '{title}' shows nothing: {expr}")
        wait("the rule fires or is pending",
             lambda: value('ALERTS{alertname="WireGuardPeerDead",peer="database"}') == [1, 1])
        check(not value('ALERTS{alertname=~"WireGuardMonitor.*"}'), "the monitor is well")


def main():
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_state()
        os.mkdir("textfile")
        subprocess.run([MONITOR, "--dump", "-", "--state", "state", "--format", "prometheus", "-o", "textfile/wgkit.prom",
                        "--names", "names.conf", "--now", str(int(time.time()))], input=dump(
                            9, int(time.time()) - 270), text=True, timeout=60, check=False)
        ran = subprocess.run([PROMTOOL, "check", "rules", RULES], capture_output=True, text=True, timeout=60, check=False)
        check(ran.returncode == 0, f"rules: {ran.stdout}{ran.stderr}")
        with Serving() as one:
            texts(one)
            scraped(one)
        os.chdir("/")
    print(f"{len(failures)} failures in {time.monotonic() - began:.1f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
