"""Figures from Prometheus, over a real socket."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from stranglerfig.errors import ConfigError, FigError
from stranglerfig.guardrail_settings import Metric, Metrics, MetricSource
from stranglerfig.routing.guardrails.promql import ask_prometheus

QUERY = 'sum(rate(http_errors{job="api"}[5m])) / 100'
METRIC = Metric(name="errors", source="prom", query=QUERY, max=1.0)


class Prometheus:
    """Answers as Prometheus 2 does: what it is told, and what it was asked."""

    def __init__(self):
        self.status, self.body, self.location, self.asked = 200, b"", "", []
        prometheus = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                prometheus.asked.append((self.path, dict(self.headers)))
                self.send_response(prometheus.status)
                if prometheus.location:
                    self.send_header("Location", prometheus.location)
                self.send_header("Content-Length", str(len(prometheus.body)))
                self.end_headers()
                self.wfile.write(prometheus.body)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def gives(self, kind, result):
        data = {"status": "success", "data": {"resultType": kind, "result": result}}
        self.body = json.dumps(data).encode()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def prometheus():
    started = Prometheus()
    yield started
    started.close()


def source(address, **given):
    settings = MetricSource(prometheus=address, **given)
    return Metrics(name="prom", source=settings, root=Path(), place="fig.toml: metrics.prom")


def series(value):
    return {"metric": {"job": "api"}, "value": [1_700_000_000.123, value]}


@pytest.mark.parametrize(
    ("kind", "result", "value"),
    [
        ("vector", [series("0.25")], 0.25),
        ("scalar", [1_700_000_000, "3"], 3.0),
        ("vector", [series("+Inf")], float("inf")),
        ("vector", [], None),
        ("vector", [series("NaN")], None),
    ],
)
def test_it_gives_the_number(prometheus, kind, result, value) -> None:
    prometheus.gives(kind, result)
    assert ask_prometheus(METRIC, source(prometheus.address + "/")) == value
    path, _ = prometheus.asked[0]
    assert urlsplit(path).path == "/api/v1/query"
    assert parse_qs(urlsplit(path).query) == {"query": [QUERY]}


def test_a_token_is_read_when_it_is_needed_and_sent(prometheus, monkeypatch) -> None:
    prometheus.gives("scalar", [0, "1"])
    given = source(prometheus.address, token="env:PROM_TOKEN")
    with pytest.raises(ConfigError):
        ask_prometheus(METRIC, given)
    monkeypatch.setenv("PROM_TOKEN", "s3cret")
    assert ask_prometheus(METRIC, given) == 1
    assert prometheus.asked[0][1]["Authorization"] == "Bearer s3cret"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<html>", "none of Prometheus"),
        (b"{}", "none of Prometheus"),
        (b'{"data": {"resultType": "vector", "result": [{"value": [1, "x"]}]}}', "none of Prom"),
        (
            json.dumps(
                {"data": {"resultType": "vector", "result": [series("1"), series("2")]}}
            ).encode(),
            "several series",
        ),
    ],
)
def test_what_is_no_number_is_an_error(prometheus, body, says) -> None:
    prometheus.body = body
    with pytest.raises(FigError, match=says):
        ask_prometheus(METRIC, source(prometheus.address))


def test_refusals_and_redirects_are_errors_and_a_token_goes_nowhere_else(
    prometheus, monkeypatch
) -> None:
    monkeypatch.setenv("PROM_TOKEN", "s3cret")
    given = source(prometheus.address, token="env:PROM_TOKEN")
    prometheus.status = 422
    with pytest.raises(FigError, match="status 422"):
        ask_prometheus(METRIC, given)
    prometheus.status, prometheus.location = 302, prometheus.address + "/elsewhere"
    with pytest.raises(FigError, match="status 302") as error:
        ask_prometheus(METRIC, given)
    assert "s3cret" not in str(error.value)
    assert len(prometheus.asked) == 2


def test_nobody_there_is_an_error(prometheus) -> None:
    address = prometheus.address
    prometheus.server.server_close()
    with pytest.raises(FigError, match="cannot be asked"):
        ask_prometheus(METRIC, source(address, timeout=2.0))
