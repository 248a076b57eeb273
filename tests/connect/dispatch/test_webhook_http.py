"""The client that calls strangers' servers: where it goes, what it gives away and when it gives up."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from connect.clients import webhook_http
from connect.clients.webhook_http import Answered, Failed, Outcome, WebhookClient
from connect.kit.tenancy import TransactionForbidden, use_environment
from demo.servers.postgres import free_port
from tests.connect.dispatch import authority, hostile
from tests.connect.dispatch.sinks import Sink, running

LOCAL = ("127.0.0.1:*", "hooks.example.com:*")
BODY = b'{"id":"evt_1"}'


def post(url: str, *, allowed: Sequence[str] = LOCAL, times: int = 1, **options: Any) -> list[Outcome]:
    """That many POSTs through one client, one after the other."""

    async def work() -> list[Outcome]:
        async with WebhookClient(allowed, **options) as client:
            return [
                await client.post(url, headers={"content-type": "application/json"}, body=BODY) for _ in range(times)
            ]

    return asyncio.run(work())


def one(url: str, **options: Any) -> Outcome:
    return post(url, **options)[0]


def answered(outcome: Outcome) -> Answered:
    assert isinstance(outcome, Answered), outcome
    return outcome


def failed(outcome: Outcome) -> Failed:
    assert isinstance(outcome, Failed), outcome
    return outcome


def test_an_answer_comes_back_whole_and_the_request_arrives_as_it_was_given() -> None:
    sink = Sink(answer=b"HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\nX-Trace: a1\r\n\r\nthere")
    with running(sink):
        outcome = answered(one(sink.url + "?a=%20b"))
    assert (outcome.status, outcome.body, outcome.truncated, outcome.headers["X-Trace"]) == (202, b"there", False, "a1")
    request = sink.requests[0]
    assert request.line == "POST /hook?a=%20b HTTP/1.1"
    assert request.body == BODY
    assert request.headers["host"] == f"127.0.0.1:{sink.port}"
    assert request.headers["accept-encoding"] == "identity"
    assert "user-agent" not in request.headers
    assert "cookie" not in request.headers


def test_no_hostile_address_is_ever_connected_to() -> None:
    """Listeners on all addresses of the machine, both families, count what comes: nothing does."""
    port = free_port()
    everywhere = (Sink(host="0.0.0.0", port=port), Sink(host="::", port=port))
    urls = [f"http://{host}:{port}/" for host in hostile.HOSTS] + hostile.URLS

    async def all_of_them() -> dict[str, Outcome]:
        async with WebhookClient() as client:
            return {url: await client.post(url, headers={}, body=BODY) for url in urls}

    with running(*everywhere):
        outcomes = asyncio.run(all_of_them())
        assert answered(one(f"http://127.0.0.1:{port}/")).status == 200  # the listener would have seen them
    assert {
        url: outcome for url, outcome in outcomes.items() if getattr(outcome, "kind", "") != "address_refused"
    } == {}
    assert len(set(urls)) == len(urls) >= 40
    print(f"\n{len(urls)} hostile addresses, {sum(sink.connections for sink in everywhere) - 1} connections")
    assert [sink.connections for sink in everywhere] == [1, 0]


def test_a_name_that_leads_inside_is_refused_whatever_else_it_leads_to() -> None:
    """One private address among public ones condemns the name: which of them is tried is not ours to hope for."""
    port = free_port()
    sink = Sink(port=port)
    with running(sink):
        for inside in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "10.1.2.3", "fd00::1"):
            for found in ([inside], ["93.184.216.34", inside], [inside, "93.184.216.34"]):
                outcome = failed(
                    one(f"http://hooks.example.com:{port}/", allowed=(), lookup=lambda *_, found=found: found)
                )
                assert outcome.kind == "address_refused"
                assert inside in outcome.message
    assert sink.connections == 0


def test_a_name_that_moves_after_the_check_changes_nothing() -> None:
    """DNS rebinding: the name is asked for once, and the address that was checked is the one that is called."""
    port = free_port()
    checked, moved = Sink(host="127.0.0.1", port=port), Sink(host="127.0.0.2", port=port)
    answers = iter([["127.0.0.1"]])
    asked = []

    def lookup(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return next(answers, ["127.0.0.2"])

    with running(checked, moved):
        outcomes = post(f"http://hooks.example.com:{port}/", lookup=lookup, times=5)
    assert [answered(outcome).status for outcome in outcomes] == [200] * 5
    assert (asked, len(checked.requests), moved.connections) == (["hooks.example.com"], 5, 0)
    assert {request.headers["host"] for request in checked.requests} == {f"hooks.example.com:{port}"}


def test_an_address_is_called_under_the_name_it_was_found_by(tmp_path: Path) -> None:
    """TLS goes to the pinned address with the name in SNI, and the certificate must be for the name."""
    root = authority.Authority(tmp_path)
    names: list[str | None] = []
    server = root.server("hooks.example.com")
    server.sni_callback = lambda _socket, name, _context: names.append(name)
    sink = Sink(tls=server)
    with running(sink):
        url = f"https://hooks.example.com:{sink.port}/"
        here = {"lookup": lambda *_: ["127.0.0.1"]}
        assert answered(one(url, tls=root.client(), **here)).status == 200
        assert names == ["hooks.example.com"]
        stranger = failed(one(url, **here))
        assert (stranger.kind, len(sink.requests)) == ("tls", 1)
        other = failed(one(url.replace("hooks", "other"), allowed=("other.example.com:*",), tls=root.client(), **here))
        assert (other.kind, len(sink.requests)) == ("tls", 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_never_followed(status: int) -> None:
    target = Sink()
    with running(target):
        location = f"HTTP/1.1 {status} Moved\r\nLocation: {target.url}\r\nContent-Length: 0\r\n\r\n"
        sink = Sink(answer=location.encode())
        with running(sink):
            assert answered(one(sink.url)).status == status
    assert (len(sink.requests), target.connections) == (1, 0)


def test_a_compressed_bomb_stays_compressed() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
    sink = Sink(answer=head.encode() + bomb)
    with running(sink):
        outcome = answered(one(sink.url))
    assert outcome.body == bomb[: webhook_http.BODY_BYTES_MAX]


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 10000000000", b"Transfer-Encoding: chunked", b"Connection: close"]
)
def test_ten_gigabytes_are_cut_at_the_limit(framing: bytes) -> None:
    sent = 0

    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n")
        piece = bytes(100_000)
        part = b"%x\r\n%s\r\n" % (len(piece), piece) if b"chunked" in framing else piece
        while sent < 10_000_000_000:
            writer.write(part)
            await writer.drain()
            sent += len(piece)

    sink = Sink(handler=flood)
    with running(sink):
        outcome = answered(one(sink.url))
    assert (len(outcome.body), outcome.truncated) == (webhook_http.BODY_BYTES_MAX, True)
    assert sent < 50_000_000  # what the buffers on the way hold


def forever(beginning: bytes, again: bytes) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """A handler that begins an answer and then drips until it is cut off."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(beginning)
        while not reader.at_eof():
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(0.01)

    return drip


@pytest.mark.parametrize(
    ("beginning", "again", "kind"),
    [
        pytest.param(b"", b"", "timeout", id="silence"),
        pytest.param(b"", b"H", "broken_answer", id="not HTTP"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x", "timeout", id="body, byte by byte"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: ", b"y", "timeout", id="header, byte by byte"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 4000, "broken_answer", id="one endless header"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 10, "broken_answer", id="endless headers"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
            b"x" * 4000,
            "timeout",
            id="endless chunk extension",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            b"X: y\r\n" * 10,
            "broken_answer",
            id="endless trailers",
        ),
        pytest.param(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10, "timeout", id="endless early answers"),
    ],
)
def test_what_never_ends_is_cut_off(beginning: bytes, again: bytes, kind: str) -> None:
    sink = Sink(handler=forever(beginning, again))
    with running(sink):
        assert failed(one(sink.url, total_seconds=1)).kind == kind


def test_headers_are_limited_as_a_whole() -> None:
    rows = b"".join(b"X-%d: %s\r\n" % (number, b"v" * 1000) for number in range(20))
    sink = Sink(answer=b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + rows + b"\r\n")
    with running(sink):
        assert failed(one(sink.url)).kind == "broken_answer"


def test_everything_else_that_can_go_wrong_is_an_outcome_too() -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    def nowhere(*_: object) -> Sequence[str]:
        raise OSError("no such name")

    async def bad_header() -> Outcome:
        async with WebhookClient(LOCAL) as client:
            return await client.post(sink.url, headers={"X-Bad": "a\r\nInjected: b"}, body=BODY)

    sink = Sink(handler=hang_up)
    with running(sink):
        assert failed(one(sink.url)).kind == "broken_answer"
        assert failed(asyncio.run(bad_header())).kind == "fault"
    assert failed(one(sink.url)).kind == "connection"
    for lookup in (nowhere, lambda *_: []):
        outcome = failed(one("http://hooks.example.com/", lookup=lookup))
        assert (outcome.kind, outcome.message) == ("dns", "The host name cannot be resolved.")


def test_a_server_that_closes_kept_connections_without_a_word_gets_every_request_once() -> None:
    async def answer_and_close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    sink = Sink(handler=answer_and_close)
    with running(sink):
        outcomes = post(sink.url, times=50)
    assert [answered(outcome).status for outcome in outcomes] == [200] * 50
    assert len(sink.requests) == 50


@pytest.mark.parametrize("status", [100, 199, 204, 304, 600, 999])
def test_odd_status_codes_are_outcomes(status: int) -> None:
    sink = Sink(answer=f"HTTP/1.1 {status} Odd\r\nContent-Length: 0\r\n\r\n".encode())
    with running(sink):
        outcome = one(sink.url, total_seconds=1)
    assert isinstance(outcome, Failed) or outcome.status == status


@pytest.mark.django_db
def test_nothing_is_sent_while_a_transaction_is_open(environment: Any) -> None:
    with use_environment(environment), pytest.raises(TransactionForbidden):
        one("http://127.0.0.1:1/")


def test_a_cancelled_attempt_is_cancelled() -> None:
    """A dispatcher that stops must get its task back."""
    sink = Sink(handler=forever(b"", b""))

    async def work() -> None:
        async with WebhookClient(LOCAL) as client:
            task = asyncio.create_task(client.post(sink.url, headers={}, body=BODY))
            await asyncio.to_thread(sink.wait_for, 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    with running(sink):
        asyncio.run(work())
