"""An app of ours as a foreign ASGI server sees it."""

import pytest

from stranglerfig.facades import asgi
from stranglerfig.facades.http import Answer


class App:
    def __init__(self):
        self.got = None

    def limit(self, _):
        return 5

    def too_large(self, _):
        return Answer(413, [(b"X-Who", b"us")], b"too large")

    async def answer(self, request):
        self.got = request
        status = 204 if request.path == "/empty" else 200
        return Answer(status, [(b"X-Who", b"us")], b"" if status == 204 else b"answer", 6)


def scope(**more):
    given = {"type": "http", "method": "POST", "path": "/a b", "raw_path": b"/a%20b"}
    given |= {"query_string": b"c=d", "headers": [(b"host", b"h")], "scheme": "https"}
    return given | {"server": ("10.0.0.1", 443)} | more


async def ask(app, parts, **more):
    messages = [
        {"type": "http.request", "body": part, "more_body": number < len(parts)}
        for number, part in enumerate(parts, 1)
    ]
    left = iter(messages)
    sent = []

    async def receive():
        return next(left, {"type": "http.disconnect"})

    async def send(message):
        sent.append(message)

    await asgi.serve(app, scope(**more), receive, send)
    return sent


async def test_a_request_and_its_answer():
    app = App()
    start, body = await ask(app, [b"ab", b"", b"cde"])
    assert start == {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"x-who", b"us"), (b"content-length", b"6")],
    }
    assert body == {"type": "http.response.body", "body": b"answer"}
    got = app.got
    assert (got.method, got.path, got.target, got.body) == ("POST", "/a b", b"/a%20b?c=d", b"abcde")
    assert (got.query, got.scheme, got.server) == (b"c=d", "https", "10.0.0.1:443")


@pytest.mark.parametrize("parts", [[b"abcdef"], [b"abc", b"def", b"ghi"]])
async def test_a_body_that_is_too_large_is_refused(parts):
    app = App()
    start, body = await ask(app, parts)
    assert (start["status"], body["body"]) == (413, b"too large")
    assert app.got is None


async def test_head_and_no_content_have_no_body():
    start, body = await ask(App(), [b""], method="HEAD")
    assert (b"content-length", b"6") in start["headers"]
    assert body["body"] == b""
    start, body = await ask(App(), [b""], path="/empty")
    assert (start["headers"], body["body"]) == ([(b"x-who", b"us")], b"")


async def test_a_caller_that_left_gets_nothing():
    app = App()
    assert await ask(app, []) == []
    assert app.got is None


async def test_only_http_is_served():
    with pytest.raises(RuntimeError, match="websocket"):
        await ask(App(), [], type="websocket")
