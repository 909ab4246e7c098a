"""What the bench makes of its peers: which packages, what counts as acknowledged or wrong, who is how many times as fast."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from bench import send
from bench.adapters import archive, debian, ejabberd
from bench.adapters.archive import Archive
from bench.driver import Load
from bench.world import Person

PLAN = """NOTE: This is only a simulation!
Inst libc6 (2.36-9+deb12u14 Debian:12.15/oldstable [amd64])
Inst libyaml-0-2 (0.2.5-1 Debian:12.15/oldstable [amd64])
Inst libtext-glob-perl (0.11-3 Debian:12.15/oldstable [all])
Inst debconf (1.5.82 Debian:12.15/oldstable [all])
Inst erlang-base (1:25.2.3+dfsg-1+deb12u4 Debian:12.15/oldstable [amd64])
Inst ejabberd (23.01-1 Debian:12.15/oldstable [amd64])
Conf ejabberd (23.01-1 Debian:12.15/oldstable [amd64])
"""


class Client(ejabberd.Client):
    """Without a socket: keeps what it would send."""

    def __init__(self, load: Load) -> None:
        person, other = (
            Person(user=uuid4(), role="client", login=uuid4(), session=uuid4(), email="one@example.test")
            for _ in range(2)
        )
        super().__init__(load, 0, person, other, archive.password(person))
        self.said: list[bytes] = []

    def write(self, text: bytes) -> None:
        self.said.append(text)


def after(frames: list[bytes]) -> tuple[Load, Client]:
    async def take() -> tuple[Load, Client]:
        load = Load(sessions=1)
        client = Client(load)
        for frame in frames:
            client.take(frame)
        return load, client

    return asyncio.run(take())


def test_the_family_is_always_unpacked_and_of_others_only_libraries_that_are_missing() -> None:
    family = ("erlang-", "ejabberd")
    found = debian.chosen(PLAN, family, installed={"libc6", "erlang-base"})
    assert found == {"libyaml-0-2": "0.2.5-1", "erlang-base": "1:25.2.3+dfsg-1+deb12u4", "ejabberd": "23.01-1"}


def test_a_reason_says_what_to_do_when_the_lists_are_missing() -> None:
    assert debian.reason("apt-get", "W: a warning\nE: Unable to locate package ejabberd\n") == (
        "apt-get: Unable to locate package ejabberd (the package lists are missing or old: run apt-get update)"
    )
    assert debian.reason("apt-get", "E: No space left\n") == "apt-get: No space left"
    assert debian.reason("dpkg", "") == "dpkg: no word of why"


def test_each_message_that_was_handled_is_acknowledged_once() -> None:
    handled = [b"<a xmlns='urn:xmpp:sm:3' h='%d'/>" % number for number in (1, 1, 4)]
    load, _ = after([b"<enabled xmlns='urn:xmpp:sm:3'/>", *handled])
    assert load.acked == 4


def test_an_error_is_refused_and_not_heard() -> None:
    load, _ = after([b"<message type='error' id='1'><body>~Q000000001000001~</body></message>"])
    assert (load.delivered, load.doubled, len(load.errors)) == (0, 0, 1)


def test_the_last_step_of_sign_in_is_the_acknowledgements() -> None:
    load, client = after([b"<iq type='result' id='bind'><bind><jid>u@localhost/bench</jid></bind></iq>", b"<enabled/>"])
    assert client.said[-1].startswith(b"<enable ")
    assert client.ready.done()
    assert not load.errors


def test_each_delivered_message_must_lie_in_two_archives_once() -> None:
    before = Archive(with_both=10, again=0)
    assert Archive(with_both=15, again=0).wrong(before, 5) == []
    assert Archive(with_both=14, again=0).wrong(before, 5) == ["5 delivered, 4 in both archives"]
    assert Archive(with_both=15, again=1).wrong(before, 5) == ["1 archived twice"]


def test_ratios_are_ours_to_each_peer() -> None:
    results = {name: {"msgs_per_core_s": per} for name, per in (("ours", 2000), ("ejabberd", 1600), ("slow", 0))}
    assert send.ratios(results) == {"ejabberd": 1.25, "slow": 2000.0}
    assert send.ratios({"ejabberd": results["ejabberd"]}) == {}
