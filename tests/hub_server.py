"""A model hub on loopback that speaks what huggingface_hub asks of one: facts of a revision, heads, files, ranges."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlparse

COMMIT = "0123456789abcdef0123456789abcdef01234567"
BRANCHES = ("main", "refs/pr/1", COMMIT)


@dataclass
class Hub:
    """One model and how it is served.

    Attributes:
        files: Its files by name.
        repo: Its name.
        gated: Whether it is not for everybody.
        stated: Bytes on whose checksums the hub insists in the place of a file's own.
        lost: Files that it lists and does not find.
        cut_at: After so many bytes of a large file, asked for from its start, the line is dropped.
        asked: What was asked for: method, path, range.
    """

    files: dict[str, bytes]
    repo: str = "someone/tiny"
    gated: bool = False
    stated: dict[str, bytes] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    cut_at: int | None = None
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    url: str = ""

    def sibling(self, name: str) -> dict[str, Any]:
        data = self.stated.get(name, self.files[name])
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        found: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": blob}
        if is_large(name):
            found["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
        return found

    def facts(self) -> dict[str, Any]:
        siblings = [self.sibling(name) for name in self.files]
        card = {"license": "apache-2.0"}
        return {"id": self.repo, "modelId": self.repo, "sha": COMMIT, "siblings": siblings, "cardData": card}


def is_large(name: str) -> bool:
    return name.endswith((".safetensors", ".bin"))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        hub, path = self.hub, unquote(urlparse(self.path).path)
        hub.asked.append((self.command, path, self.headers.get("Range")))
        api = re.fullmatch(rf"/api/models/{re.escape(hub.repo)}/revision/(.+)", path)
        file = re.fullmatch(rf"/{re.escape(hub.repo)}/resolve/({'|'.join(BRANCHES)})/(.+)", path)
        if api is None and file is None:
            self.refuse(404, "RepoNotFound")
        elif hub.gated:
            self.refuse(403, "GatedRepo")
        elif api is not None and api[1] not in BRANCHES:
            self.refuse(404, "RevisionNotFound")
        elif api is not None:
            self.send(200, json.dumps(hub.facts()).encode(), {"Content-Type": "application/json"})
        elif file is not None and file[2] in hub.files.keys() - hub.lost:
            self.send_file(file[2])
        else:
            self.refuse(404, "EntryNotFound")

    def refuse(self, code: int, why: str) -> None:
        self.send(code, b"", {"X-Error-Code": why, "X-Error-Message": why})

    def send_file(self, name: str) -> None:
        data, stated = self.hub.files[name], self.hub.sibling(name)
        digest = stated["lfs"]["sha256"] if is_large(name) else stated["blobId"]
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{digest}"', "Accept-Ranges": "bytes"}
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if wanted is None:
            self.send(200, data, headers, cut=is_large(name))
        else:
            start = int(wanted[1])
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self.send(206, data[start:], headers)

    def send(self, code: int, body: bytes, headers: dict[str, str], *, cut: bool = False) -> None:
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[: self.hub.cut_at] if cut else body)
            self.close_connection = cut and self.hub.cut_at is not None


@contextmanager
def serve(hub: Hub) -> Iterator[Hub]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OfThisHub", (Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
