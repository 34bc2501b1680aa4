# SPDX-License-Identifier: Apache-2.0
"""Mail leaves by SMTP with STARTTLS and AUTH, or by sendmail, and is not lost."""

import email
import email.policy
import secrets
import ssl
import subprocess
import time

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from client import Person, html_of, recipients, text_of
from stack import NO_LIMITS, Stack, free_port, wait_until

USER, PASSWORD = b"claviger", secrets.token_hex(12).encode()


def run(*words):
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(open_folder):
    """A CA and a certificate of it for localhost, as the quick start's is."""
    folder = open_folder
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-days", "2", "-subj", "/CN=Mail test CA",
        "-keyout", folder / "ca.key", "-out", folder / "ca.pem")
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-subj", "/CN=localhost", "-keyout", folder / "key.pem", "-out", folder / "csr.pem")
    extensions = folder / "extensions"
    extensions.write_text("subjectAltName=DNS:localhost\n")
    run("openssl", "x509", "-req", "-in", folder / "csr.pem", "-CA", folder / "ca.pem",
        "-CAkey", folder / "ca.key", "-CAcreateserial", "-days", "2",
        "-extfile", extensions, "-out", folder / "cert.pem")
    return folder


class Inbox:
    """An SMTP server that keeps what it gets, and can be told to refuse."""

    def __init__(self, port, authority, with_tls=True):
        self.messages, self.logins, self.refusal = [], [], None
        options = {}
        if with_tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(authority / "cert.pem", authority / "key.pem")
            options = dict(tls_context=context, require_starttls=True,
                           auth_required=True, authenticator=self.authenticate)
        self.controller = Controller(self, hostname="127.0.0.1", port=port, **options)

    def authenticate(self, server, session, envelope, mechanism, data):
        good = (data.login, data.password) == (USER, PASSWORD)
        self.logins.append(good)
        return AuthResult(success=good)

    async def handle_DATA(self, server, session, envelope):
        if self.refusal:
            return self.refusal
        self.messages.append(envelope)
        return "250 taken"

    def __enter__(self):
        self.controller.start()
        return self

    def __exit__(self, *_):
        self.controller.stop()

    def to(self, address):
        return [one for one in self.messages if address in one.rcpt_tos]


def smtp_settings(port, authority, **more):
    return {
        **NO_LIMITS, "mail.transport": "smtp", "mail.smtp_url": f"smtp://localhost:{port}",
        "mail.smtp_user": USER.decode(), "mail.smtp_password": PASSWORD.decode(),
        "mail.smtp_ca_file": str(authority / "ca.pem"), "mail.smtp_starttls": "required",
        "mail.retry_first": "1s", "mail.retry_most": "2s", "mail.timeout": "3s", **more}


@pytest.fixture(scope="module")
def smtp(authority):
    """A port, and a stack that sends its mail there; nobody listens yet."""
    port = free_port()
    with Stack(smtp_settings(port, authority), workers=2) as running:
        running.smtp_port = port
        yield running


def outbox(stack, address):
    return stack.query(
        "SELECT o.* FROM outbox o JOIN user u ON u.id = o.user_id WHERE u.email = %s", address)


def test_mail_that_meets_no_server_is_tried_again_and_not_lost(smtp, authority):
    people = [Person(smtp) for _ in range(5)]
    for person in people:
        assert person.register().status_code == 202
    wait_until(lambda: all(outbox(smtp, one.email)[0]["attempts"] >= 1 for one in people),
               timeout=20, what="a first attempt")
    assert {outbox(smtp, one.email)[0]["state"] for one in people} == {"waiting"}
    assert all(outbox(smtp, one.email)[0]["last_error"] for one in people)
    with Inbox(smtp.smtp_port, authority) as inbox:
        wait_until(lambda: all(inbox.to(one.email) for one in people), timeout=40)
        wait_until(lambda: all(outbox(smtp, one.email)[0]["state"] == "sent"
                               for one in people), timeout=10)
        time.sleep(2)
        assert [len(inbox.to(one.email)) for one in people] == [1] * 5
        assert set(inbox.logins) == {True}


def test_mail_goes_over_TLS_after_a_login_and_is_whole(smtp, authority):
    with Inbox(smtp.smtp_port, authority) as inbox:
        person = Person(smtp, name="Zoë Ødegård")
        person.register()
        envelope = wait_until(lambda: inbox.to(person.email), timeout=20)[0]
    assert envelope.rcpt_tos == [person.email]
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert recipients(message) == [person.email]
    assert "/verify.html#token=" in text_of(message)
    assert "/verify.html#token=" in html_of(message)
    assert max(map(len, envelope.content.split(b"\r\n"))) <= 998
    assert b"\n" not in envelope.content.replace(b"\r\n", b"")


def test_what_was_sent_leaves_no_token_in_the_outbox(smtp, authority):
    with Inbox(smtp.smtp_port, authority) as inbox:
        person = Person(smtp)
        person.register()
        wait_until(lambda: inbox.to(person.email), timeout=20)
        row = wait_until(lambda: [one for one in outbox(smtp, person.email)
                                  if one["state"] == "sent"], timeout=10)[0]
    assert row["sealed"] == b"" and row["finished_at"]


def test_a_temporary_refusal_is_tried_later_with_growing_pauses(smtp, authority):
    with Inbox(smtp.smtp_port, authority) as inbox:
        inbox.refusal = "451 later"
        person = Person(smtp)
        person.register()
        pauses = []
        for attempt in (1, 2):
            row = wait_until(lambda: [one for one in outbox(smtp, person.email)
                                      if one["attempts"] == attempt], timeout=20, pause=0.005)[0]
            pauses.append(row["next_at"] - time.time() * 1000)
        inbox.refusal = None
        wait_until(lambda: inbox.to(person.email), timeout=20)
        assert len(inbox.to(person.email)) == 1
    assert pauses[0] < pauses[1] <= 3000


def test_a_server_with_a_certificate_of_another_ca_gets_no_mail(authority):
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-days", "2", "-subj", "/CN=Other CA",
        "-keyout", authority / "other.key", "-out", authority / "other.pem")
    port = free_port()
    settings = smtp_settings(port, authority)
    settings["mail.smtp_ca_file"] = str(authority / "other.pem")
    with Inbox(port, authority) as inbox, Stack(settings, workers=2) as running:
        person = Person(running)
        person.register()
        wait_until(lambda: outbox(running, person.email)[0]["attempts"] >= 1, timeout=20)
        assert inbox.messages == [] and inbox.logins == []


def test_a_server_without_STARTTLS_gets_neither_password_nor_mail(authority):
    port = free_port()
    with Inbox(port, authority, with_tls=False) as inbox:
        with Stack(smtp_settings(port, authority), workers=2) as running:
            person = Person(running)
            person.register()
            wait_until(lambda: outbox(running, person.email)[0]["attempts"] >= 1, timeout=20)
            assert inbox.messages == [] and inbox.logins == []


SENDMAIL = """#!/bin/sh
# Keeps what it is given: arguments in one file, the message in another.
[ -e {folder}/refuse ] && exit 75
printf '%s\\n' "$@" > {folder}/$$.arguments
cat > {folder}/$$.part
mv {folder}/$$.part {folder}/$$.message
"""


def test_sendmail_gets_the_message_on_standard_input(open_folder):
    kept = open_folder / "kept"
    kept.mkdir()
    kept.chmod(0o777)
    script = open_folder / "sendmail"
    script.write_text(SENDMAIL.format(folder=kept))
    script.chmod(0o755)
    (kept / "refuse").touch()
    settings = {**NO_LIMITS, "mail.transport": "sendmail", "mail.sendmail_path": str(script),
                "mail.retry_first": "1s", "mail.retry_most": "2s"}
    with Stack(settings, workers=2) as running:
        person = Person(running)
        person.register()
        wait_until(lambda: outbox(running, person.email)[0]["attempts"] >= 1, timeout=20)
        (kept / "refuse").unlink()
        path = wait_until(lambda: list(kept.glob("*.message")), timeout=20)[0]
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert recipients(message) == [person.email]
        assert "/verify.html#token=" in text_of(message)
        assert b"\r\n" not in path.read_bytes()  # sendmail's own line ends
        arguments = path.with_suffix(".arguments").read_text().split("\n")
        assert "-i" in arguments or "-oi" in arguments  # a lone dot ends nothing


def test_mail_leaves_when_cron_runs_maintenance():
    """Where nobody else does it: the next round would be in an hour."""
    with Stack({"server.maintenance_interval": "1h"}, workers=2) as running:
        time.sleep(1)  # the first round is at the start
        person = Person(running)
        person.register()
        time.sleep(1)
        assert person.mail.messages() == []
        running.ctl("maintain")
        assert len(person.mail.messages()) == 1
