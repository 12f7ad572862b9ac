"""Starts a flow from Python, and prints what it learns of the run as JSON."""

import asyncio
import json

from headway import Runner


async def main() -> None:
    async with Runner("reader.py", datastore="s3") as runner:
        executing = await runner.async_run(word="y", tags=["nightly"], max_workers=2)
        begun = executing.status
        lines = [line async for _, line in executing.stream_log("stdout")]
        await executing.wait()
        run = executing.run
        code = run.code
        said = {
            "begun": begun,
            "status": executing.status,
            "run": run.id,
            "tags": sorted(run.user_tags),
            "lines": lines,
            "saw": run["start"].task.data.saw,
            "read_back": run.data.read_back,
            "code": code.flowspec.splitlines()[0],
            "files": sorted(code.tarball.getnames()),
            "facts": run["start"].task.metadata_dict,
        }
    print(json.dumps(said))


asyncio.run(main())
