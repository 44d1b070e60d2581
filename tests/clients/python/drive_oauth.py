"""Comes to a server that asks for access tokens, as the client of Python `mcp` 1.x or 2.x: `drive_oauth.py ENDPOINT`.

The user that it should send to a browser is played here: the redirect is followed at once.
"""

from __future__ import annotations

import importlib.metadata
import sys
import urllib.parse
import urllib.request
from typing import Any

import anyio
import mcp.client.streamable_http as transport
from common import CheckFailed, Report, expect
from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

MAJOR = importlib.metadata.version("mcp").split(".")[0]
NAME = f"oauth py{MAJOR}"


class Storage:
    """Keeps what the client is given."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Shows the redirect instead of following it."""

    def redirect_request(self, *_: Any) -> None:
        return None


class User:
    """Says yes to everything."""

    def __init__(self) -> None:
        self.back: dict[str, str] = {}
        self.times = 0

    async def redirect(self, url: str) -> None:
        self.times += 1
        try:
            urllib.request.build_opener(NoRedirect).open(url)
        except urllib.error.HTTPError as answer:
            self.back = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.headers["Location"]).query))

    async def callback(self) -> Any:
        if MAJOR == "1":
            return self.back["code"], self.back.get("state")
        from mcp.shared.auth import AuthorizationCodeResult
        return AuthorizationCodeResult(code=self.back["code"], state=self.back.get("state"), iss=self.back.get("iss"))


async def calls(endpoint: str, provider: OAuthClientProvider) -> None:
    """A session, and a call in it."""
    if MAJOR == "1":
        async with transport.streamablehttp_client(endpoint, auth=provider) as (read, write, _):
            await one_session(read, write)
    else:
        async with transport.create_mcp_http_client(auth=provider) as client:
            async with transport.streamable_http_client(endpoint, http_client=client) as (read, write):
                await one_session(read, write)


async def one_session(read: Any, write: Any) -> None:
    async with ClientSession(read, write) as session:
        await session.initialize()
        tools = (await session.list_tools()).tools
        if not any(tool.name == "echo" for tool in tools):
            raise CheckFailed(f"no tool is called echo: {[tool.name for tool in tools]}")
        result = await session.call_tool("echo", {"text": "by an access token"})
        expect("what it says", "by an access token", result.content[0].text)


async def main(endpoint: str) -> None:
    report, storage, user = Report(), Storage(), User()
    metadata = OAuthClientMetadata.model_validate({
        "client_name": "the tests", "redirect_uris": ["http://127.0.0.1:9/callback"],
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"], "token_endpoint_auth_method": "none",
    })

    def provider() -> OAuthClientProvider:
        return OAuthClientProvider(endpoint, metadata, storage, user.redirect, user.callback)

    async def finds() -> None:
        await calls(endpoint, provider())
        expect("how often the user was asked", 1, user.times)

    async def again() -> None:
        await calls(endpoint, provider())
        expect("how often the user was asked", 1, user.times)

    async def wrong() -> None:
        assert storage.tokens
        storage.tokens = storage.tokens.model_copy(update={"access_token": "a.b.c", "refresh_token": None})
        await calls(endpoint, provider())
        expect("how often the user was asked", 2, user.times)

    await report.check(f"{NAME}, finds the authorization server, and calls", finds)
    await report.check(f"{NAME}, comes again with its token", again)
    await report.check(f"{NAME}, gets another for one that is refused", wrong)


anyio.run(main, sys.argv[1])
