"""A mail server that takes everything, as a program of its own: `python -m bench.sink` prints its port and serves."""

import asyncio
import sys
from typing import Any

from aiosmtpd.smtp import SMTP


class _Takes:
    """aiosmtpd's handler: every message is thrown away."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        return "250 2.0.0 taken"


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(_Takes(), hostname="mx.test", loop=loop, enable_SMTPUTF8=False, ident="bench"),
        "127.0.0.1",
        0,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(_serve())
    except KeyboardInterrupt:
        sys.exit(0)
