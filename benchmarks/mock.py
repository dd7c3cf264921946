"""A target that answers every POST after five milliseconds, on kept connections: ``python -m benchmarks.mock PORT``."""

from __future__ import annotations

import asyncio
import sys

LATENCY = 0.005
BODY = b'{"id": "S1", "number": "VK-1"}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read requests off one connection until it closes."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            rows = head.lower().split(b"\r\n")
            length = next((int(row.split(b":")[1]) for row in rows if row.startswith(b"content-length")), 0)
            await reader.readexactly(length)
            await asyncio.sleep(LATENCY)
            writer.write(ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main(port: int) -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
