# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium that is used as a person uses it: by labels and names.

Each browser has a profile of its own and, through a relay, a client address of
its own, so that the rate limits of one test do not meet those of another. It
trusts exactly the certificate that the stack's CA vouches for, reaches no
other host, and remembers every request and every line of its console.
"""

import base64
import contextlib
import hashlib
import json
import pathlib
import select
import shutil
import socket
import ssl
import tempfile
import threading

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from selenium import webdriver
from selenium.common.exceptions import (
    UnexpectedAlertPresentException, WebDriverException)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM = "/usr/bin/chromium"
CHROMEDRIVER = "/usr/bin/chromedriver"
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
    "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--no-proxy-server", "--lang=en-GB", "--hide-scrollbars",
    "--force-prefers-reduced-motion",
)

# The console repeats every status of 400 and more; pages are told by fetch.
STATUS_NOISE = "Failed to load resource: the server responded with a status of 4"


class Relay:
    """Passes connections on to a port of 127.0.0.1, from a given address."""

    def __init__(self, port, address):
        self.target = ("127.0.0.1", port)
        self.address = address
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        # shutdown wakes the accept, which a mere close would leave waiting.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def move(self, address):
        """From now on come from another address, on new connections."""
        self.address = address
        for near in list(self.open):
            with contextlib.suppress(OSError):
                near.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass, args=(near,), daemon=True).start()

    def _pass(self, near):
        self.open.add(near)
        with near, contextlib.suppress(OSError):
            with socket.create_connection(
                    self.target, source_address=(self.address, 0)) as far:
                pump(near, far)
        self.open.discard(near)


def pump(near, far):
    """Carry bytes both ways until one side ends."""
    other = {near: far, far: near}
    while True:
        readable, _, _ = select.select([near, far], [], [])
        for side in readable:
            piece = side.recv(65536)
            if not piece:
                return
            other[side].sendall(piece)


def key_pin(port, ca_file):
    """SHA-256 of the server's public key, once the CA has vouched for it."""
    context = ssl.create_default_context(cafile=ca_file)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as secured:
            der = secured.getpeercert(binary_form=True)
    key = x509.load_der_x509_certificate(der).public_key().public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


class Browser:
    """One browser with one person before it."""

    def __init__(self, stack, address):
        self.stack = stack
        port = int(stack.url.rsplit(":", 1)[1])
        self.relay = Relay(port, address)
        self.profile = pathlib.Path(tempfile.mkdtemp(prefix="cv-browser-"))
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in FLAGS:
            options.add_argument(flag)
        options.add_argument(f"--user-data-dir={self.profile}")
        options.add_argument(
            "--ignore-certificate-errors-spki-list="
            + key_pin(port, stack.ca_file))
        options.add_argument(
            f"--host-resolver-rules=MAP localhost:{port} "
            f"127.0.0.1:{self.relay.port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
        options.set_capability(
            "goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(
            service=Service(CHROMEDRIVER), options=options)
        self.driver.set_window_size(1100, 900)
        self.forget()

    def renew(self, address):
        """Become a browser that has been nowhere, at another address."""
        first, *others = self.driver.window_handles
        for window in others:
            self.driver.switch_to.window(window)
            self.driver.close()
        self.driver.switch_to.window(first)
        self.relay.move(address)
        self.cdp("Emulation.setScriptExecutionDisabled", value=False)
        self.cdp("Emulation.clearDeviceMetricsOverride")
        self.cdp("Emulation.setEmulatedMedia", features=[])
        self.cdp("Network.clearBrowserCookies")
        self.cdp("Storage.clearDataForOrigin", origin=self.stack.url,
                 storageTypes="all")
        self.forget()

    def forget(self):
        """Leave the page, and everything noted so far."""
        self.driver.get("about:blank")
        self.console, self.requests = [], []
        self.read_logs()
        self.console, self.requests = [], []

    def close(self):
        self.driver.quit()
        self.relay.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    # Going places

    def open(self, page):
        """Open a page of the site, "login.html", or a whole address."""
        whole = page if "://" in page else f"{self.stack.url}/{page}"
        self.driver.get(whole)
        return self

    @property
    def path(self):
        """Path, query and fragment that the address bar shows."""
        return self.driver.current_url.removeprefix(self.stack.url)

    def wait_for(self, claim, timeout=15):
        """Wait until claim() is true, and give what it gave.

        A page that is just being replaced answers with all kinds of errors;
        a dialog is the one that must not pass for "not yet".
        """
        def claimed(_):
            try:
                return claim()
            except UnexpectedAlertPresentException:
                raise
            except WebDriverException:
                return False
        return WebDriverWait(self.driver, timeout, 0.05).until(claimed)

    def wait_path(self, start):
        return self.wait_for(lambda: self.path.startswith(start))

    # Seeing

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def visible(self, selector):
        return [one for one in self.all(selector) if one.is_displayed()]

    @property
    def text(self):
        """Everything that is visible."""
        return self.one("body").text

    def wait_text(self, text, timeout=15):
        return self.wait_for(lambda: text in self.text, timeout)

    @property
    def heading(self):
        return self.visible("h1")[0].text

    def wait_heading(self, text):
        return self.wait_for(
            lambda: [one.text for one in self.visible("h1")] == [text])

    @property
    def focused(self):
        return self.driver.switch_to.active_element

    # Doing

    def field(self, label, within="main"):
        """The visible field with a label that begins so."""
        for one in self.visible(f"{within} label"):
            if one.text.startswith(label):
                return self.one("#" + one.get_attribute("for"))
        raise AssertionError(f"no field is labelled {label!r}: {self.text}")

    def fill(self, label, value, within="main"):
        field = self.field(label, within)
        field.clear()
        field.send_keys(value)
        return field

    def button(self, name, within="body"):
        """The visible button of that name."""
        for one in self.visible(f"{within} button"):
            if name in (one.text, one.get_attribute("aria-label")):
                return one
        raise AssertionError(f"no button is called {name!r}: {self.text}")

    def press(self, name, within="body"):
        self.wait_for(lambda: self.button(name, within).is_enabled())
        self.button(name, within).click()

    def script(self, text, *values):
        return self.driver.execute_script(text, *values)

    def cdp(self, command, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    def sign_in(self, email, password, page="login.html"):
        self.open(page)
        self.fill("E-mail address", email)
        self.fill("Password", password)
        self.press("Sign in")

    def sign_in_to_account(self, person):
        self.sign_in(person.email, person.password)
        self.wait_path("/account.html")
        self.wait_account()

    def wait_account(self):
        """Wait until the account page shows all it has to show."""
        self.wait_for(lambda: self.visible("#account")
                      and not self.all("[aria-busy]"))

    # What happened

    def read_logs(self):
        """Move what the browser noted into console and requests."""
        self.console += self.driver.get_log("browser")
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] != "Network.requestWillBeSent":
                continue
            if not message["params"]["documentURL"].startswith("chrome:"):
                self.requests.append(message["params"]["request"])

    def complaints(self):
        """Errors on the console that are not merely a refused request."""
        self.read_logs()
        return [entry["message"] for entry in self.console
                if entry["level"] in ("SEVERE", "WARNING")
                and STATUS_NOISE not in entry["message"]]

    def requests_to(self, path):
        self.read_logs()
        return [one for one in self.requests if one["url"].endswith(path)]

    def foreign_requests(self):
        self.read_logs()
        return [one["url"] for one in self.requests
                if not one["url"].startswith((self.stack.url, "about:"))]
