# rule: an async test may use threads, executors and subprocesses
import asyncio
import os
import sys
import unittest


def ev(text):
    with open(os.environ["EVENTS_FILE"], "a") as file:
        file.write(f"{text}\n")


class TestA(unittest.IsolatedAsyncioTestCase):
    async def test_thread(self):
        ev(await asyncio.to_thread(sum, [1, 2, 3]))

    async def test_executor(self):
        loop = asyncio.get_running_loop()
        ev(await loop.run_in_executor(None, max, 3, 4))

    async def test_subprocess(self):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "print('from a process')", stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        ev(f"{out.decode().strip()} {process.returncode}")

    async def test_server(self):
        async def answer(reader, writer):
            writer.write((await reader.readline()).upper())
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"hello\n")
            ev((await reader.readline()).decode().strip())
            writer.close()
            await writer.wait_closed()
