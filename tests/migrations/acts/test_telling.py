"""A webhook: signed, sent again under one id, told to nobody else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stranglerfig.errors import ConfigError, RunbookError
from stranglerfig.migrations import post
from stranglerfig.migrations.ports import Done, Waiting


class Service:
    """Somebody who is told: answers with what ``says`` holds, the last one again and again."""

    def __init__(self, certificate=None):
        self.heard, self.says = [], [200]
        self.moved_to = ""
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.heard.append((self.path, dict(self.headers), body))
                status = service.says.pop(0) if len(service.says) > 1 else service.says[0]
                self.send_response(status)
                if service.moved_to:
                    self.send_header("Location", service.moved_to)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST  # noqa: N815

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate[1], certificate[0])
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            scheme = "https"
        host = "localhost" if certificate else "127.0.0.1"
        self.url = f"{scheme}://{host}:{self._server.server_address[1]}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def service():
    made = Service()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(post, "_FIRST", 0.001)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    key, pem = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-keyout", key, "-out", pem, "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, check=True, capture_output=True)
    return key, pem


def test_it_is_told_what_step_has_come_signed_and_with_a_token(bench, service, monkeypatch):
    monkeypatch.setenv("HOOK_SECRET", "whsec_" + base64.b64encode(b"0123456789abcdef").decode())
    (bench.folder / "token").write_text("t0ken\n")
    act = bench.act(
        "webhook",
        url=service.url,
        secret="env:HOOK_SECRET",
        token="file:token",
        data={"ticket": "CHG-4711"},
    )
    assert act.plan(bench.planned()) == (f"POST {service.url}",)
    assert service.heard == []
    assert act.do(bench.ctx()).result["status"] == 200
    ((path, headers, body),) = service.heard
    assert path == "/hook"
    assert json.loads(body) == {
        "type": "runbook.step.do",
        "workspace": "desk",
        "runbook": "night",
        "run": 1,
        "step": "it",
        "endpoint": "triage",
        "who": "ada",
        "data": {"ticket": "CHG-4711"},
    }
    assert headers["Authorization"] == "Bearer t0ken"
    assert headers["Idempotency-Key"] == headers["Webhook-Id"]
    content = f"{headers['Webhook-Id']}.{headers['Webhook-Timestamp']}.".encode() + body
    mac = hmac.new(b"0123456789abcdef", content, hashlib.sha256).digest()
    assert headers["Webhook-Signature"] == "v1," + base64.b64encode(mac).decode()


def test_the_example_of_the_specification_is_signed_as_it_says():
    headers = post.signed(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        1614265330,
    )
    assert headers["Webhook-Signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_without_secrets_it_is_not_signed(bench, service):
    bench.act("webhook", url=service.url).do(bench.ctx())
    ((_, headers, _),) = service.heard
    assert "Webhook-Signature" not in headers
    assert "Authorization" not in headers


def test_what_may_pass_is_sent_again_under_the_same_id(bench, service):
    service.says = [503, 429, 204]
    assert isinstance(bench.act("webhook", url=service.url).do(bench.ctx()), Done)
    assert len({headers["Idempotency-Key"] for _, headers, _ in service.heard}) == 1
    assert len(service.heard) == 3


def test_after_so_many_times_the_step_fails_and_goes_on_under_the_same_id(bench, service):
    service.says = [503]
    act = bench.act("webhook", url=service.url, tries=2)
    with pytest.raises(RunbookError, match="asked 2 times") as failed:
        act.do(bench.ctx())
    assert failed.value.value == "status 503"
    service.says = [200]
    act.do(bench.ctx())
    assert len({headers["Webhook-Id"] for _, headers, _ in service.heard}) == 1
    bench.begin(2.0)
    act.do(bench.ctx())
    assert len({headers["Webhook-Id"] for _, headers, _ in service.heard}) == 2, "begun anew"


@pytest.mark.parametrize("status", [400, 401, 404])
def test_what_is_refused_is_not_sent_again(bench, service, status):
    service.says = [status]
    with pytest.raises(RunbookError, match="refuses it"):
        bench.act("webhook", url=service.url, token="").do(bench.ctx())
    assert len(service.heard) == 1


def test_a_redirect_is_not_followed(bench, service):
    service.says, service.moved_to = [307], service.url.replace("/hook", "/elsewhere")
    with pytest.raises(RunbookError, match="refuses it"):
        bench.act("webhook", url=service.url).do(bench.ctx())
    assert [path for path, _, _ in service.heard] == ["/hook"]


def test_nobody_there_fails_the_step(bench, service):
    service.close()
    with pytest.raises(RunbookError, match="does not take it") as failed:
        bench.act("webhook", url=service.url, tries=2).do(bench.ctx())
    assert failed.value.place == "night.toml: step it.with.url"


def test_told_to_stop_it_does_not_go_on_trying(bench, service):
    service.says = [503]
    bench.stop.set()
    waiting = bench.act("webhook", url=service.url, tries=5).do(bench.ctx())
    assert isinstance(waiting, Waiting)
    assert len(service.heard) == 1


def test_the_undo_is_told_where_that_is_asked_for_and_anything_was_told(bench, service):
    act = bench.act("webhook", url=service.url, undo=True)
    act.undo(bench.ctx(), {})
    assert service.heard == []
    done = act.do(bench.ctx())
    act.undo(bench.ctx(), done.result)
    told = [json.loads(body)["type"] for _, _, body in service.heard]
    assert told == ["runbook.step.do", "runbook.step.undo"]
    assert service.heard[0][1]["Webhook-Id"] != service.heard[1][1]["Webhook-Id"]
    silent = bench.act("webhook", url=service.url)
    assert silent.undo(bench.ctx(), done.result).told == "nobody is told"


def test_https_is_trusted_by_the_certificate_that_is_named(bench, certificate):
    service = Service(certificate)
    try:
        trusted = bench.act("webhook", url=service.url, ca=str(certificate[1]), tries=1)
        assert isinstance(trusted.do(bench.ctx()), Done)
        with pytest.raises(RunbookError) as refused:
            bench.act("webhook", url=service.url, tries=1).do(bench.ctx())
        assert refused.value.value == "URLError"
    finally:
        service.close()
    (bench.folder / "no.pem").write_text("no certificate")
    with pytest.raises(ConfigError, match="certificates"):
        bench.act("webhook", url=service.url, ca="no.pem").do(bench.ctx())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"url": "http://change.example/hook"}, "cannot be told over this"),
        ({"url": "file:///etc/passwd"}, "cannot be told over this"),
        ({"url": "https://"}, "cannot be told over this"),
        ({"url": "https://ada:pw@change.example/"}, "holds a user or a password"),
        ({"url": "https://change.example", "tries": 0}, ">= 1"),
        ({"url": "https://change.example", "timeout": 0}, "above 0"),
    ],
)
def test_addresses_and_bounds_that_will_not_do_are_refused(bench, options, says):
    with pytest.raises(ConfigError, match=says) as refused:
        bench.act("webhook", **options)
    assert refused.value.place.startswith("night.toml: step it.with")
    assert "pw" not in str(refused.value)


@pytest.mark.parametrize("secret", ["hunter2", "env:NO_SUCH_NAME_HERE", "file:none"])
def test_a_secret_is_a_reference_and_is_looked_for_by_the_plan(bench, service, secret):
    act = bench.act("webhook", url=service.url, secret=secret)
    with pytest.raises(ConfigError) as refused:
        act.plan(bench.planned())
    assert refused.value.place == "night.toml: step it.with.secret"
    assert "hunter2" not in str(refused.value)
