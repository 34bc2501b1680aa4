# SPDX-License-Identifier: Apache-2.0
"""A client of the API, a person who uses it, and that person's mail.

Every client has a source address of its own in 127.0.0.0/8, so that the rate
limits of one test do not meet those of another.
"""

import email
import email.policy
import itertools
import pathlib
import re
import secrets
import time

import requests

API = "/api/v1"
LINK = re.compile(r"https?://[^\s\"'<>]+#token=([A-Za-z0-9_-]+)")

_addresses = itertools.count(1)


def next_address():
    """An address that no other client of this run has."""
    number = next(_addresses)
    return f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"


class _FromAddress(requests.adapters.HTTPAdapter):
    def __init__(self, address):
        self.address = address
        super().__init__(max_retries=0)

    def init_poolmanager(self, *positional, **named):
        named["source_address"] = (self.address, 0)
        super().init_poolmanager(*positional, **named)


class Client:
    """One client; token is the access token that it sends, when it has one."""

    def __init__(self, stack, address=None, token=None):
        self.stack = stack
        self.address = address or next_address()
        self.token = token
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = stack.ca_file
        self.http.headers.clear()
        self.http.headers["User-Agent"] = "claviger-tests/1"
        self.http.mount("https://", _FromAddress(self.address))

    def fetch(self, method, path, body=None, headers=None, **options):
        """Any path of the site; body is sent as JSON, data as it is."""
        sent = dict(headers or {})
        if self.token and "Authorization" not in sent:
            sent["Authorization"] = f"Bearer {self.token}"
        return self.http.request(
            method, self.stack.url + path, json=body, headers=sent,
            timeout=60, allow_redirects=False, **options)

    def get(self, path, **options):
        return self.fetch("GET", API + path, **options)

    def post(self, path, body=None, **options):
        return self.fetch("POST", API + path, body, **options)

    def patch(self, path, body=None, **options):
        return self.fetch("PATCH", API + path, body, **options)

    def delete(self, path, body=None, **options):
        return self.fetch("DELETE", API + path, body, **options)

    # Cookie sessions

    def cookie(self, name):
        for cookie in self.http.cookies:
            if cookie.name == name:
                return cookie.value
        return None

    def csrf_headers(self):
        """What the pages send with a change made by cookie."""
        return {"X-CSRF-Token": self.cookie("__Host-claviger_csrf") or "",
                "Origin": self.stack.url}


class Person:
    """Somebody with an address and a password, not yet known to the stack."""

    def __init__(self, stack, name="Ada Tester", password=None, address=None):
        self.stack = stack
        self.name = name
        self.email = address or f"p{secrets.token_hex(6)}@example.com"
        self.password = password or secrets.token_urlsafe(18)
        self.mail = Mailbox(stack, self.email)

    def register(self, client=None, **more):
        body = {"email": self.email, "password": self.password,
                "name": self.name, **more}
        return (client or Client(self.stack)).post("/auth/register", body)

    def verify(self):
        token = self.mail.wait_for_token("/verify.html")
        return Client(self.stack).post("/auth/verify-email", {"token": token})

    def join(self):
        """Register and confirm the address."""
        answer = self.register()
        assert answer.status_code == 202, answer.text
        answer = self.verify()
        assert answer.status_code == 204, answer.text
        return self

    def try_login(self, client=None, **more):
        body = {"email": self.email, "password": self.password, **more}
        return (client or Client(self.stack)).post("/auth/login", body)

    def login(self, client=None, **more):
        """Sign in and give the client, which holds tokens or cookies."""
        client = client or Client(self.stack)
        answer = self.try_login(client, **more)
        assert answer.status_code == 200, answer.text
        tokens = answer.json()
        client.token = tokens.get("access_token")
        client.refresh_token = tokens.get("refresh_token")
        client.tokens = tokens
        return client

    def login_by_cookie(self, client=None):
        return self.login(client, session="cookie")

    def renew(self, refresh_token):
        return Client(self.stack).post(
            "/auth/refresh", {"refresh_token": refresh_token})

    @property
    def user_id(self):
        rows = self.stack.query(
            "SELECT LOWER(HEX(id)) AS id FROM user WHERE email = %s",
            self.email)
        digits = rows[0]["id"]
        return "-".join((digits[:8], digits[8:12], digits[12:16],
                         digits[16:20], digits[20:]))


def owner_of(stack):
    """The installation's owner."""
    address, password = stack.owner
    return Person(stack, password=password, address=address)


class Mailbox:
    """The messages that a stack with the maildir transport sent somebody."""

    def __init__(self, stack, address):
        self.stack = stack
        self.address = address

    def messages(self):
        found = []
        # A message gets its name when it is whole.
        for path in sorted(self.stack.mail_dir.glob("*.eml")):
            message = read_message(path)
            if self.address in recipients(message):
                found.append(message)
        return found

    def wait(self, mention="", count=1, timeout=20):
        """The newest of at least count messages that mention a text."""
        deadline = time.monotonic() + timeout
        while True:
            hits = [one for one in self.messages() if mention in text_of(one)]
            if len(hits) >= count:
                return hits[-1]
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"{len(hits)} of {count} messages to {self.address} "
                    f"with {mention!r} came in {timeout} s")
            time.sleep(0.05)

    def wait_for_token(self, page, count=1):
        """The token of the newest link to this page."""
        body = text_of(self.wait(page + "#token=", count))
        return re.findall(re.escape(page) + r"#token=([A-Za-z0-9_-]+)", body)[-1]


def read_message(path):
    return email.message_from_bytes(
        pathlib.Path(path).read_bytes(), policy=email.policy.default)


def recipients(message):
    found = []
    for field in ("To", "Cc", "Bcc"):
        for header in message.get_all(field, []):
            found += [address.addr_spec for address in header.addresses]
    return found


def text_of(message):
    """The text/plain part."""
    return message.get_body(("plain",)).get_content()


def html_of(message):
    return message.get_body(("html",)).get_content()
