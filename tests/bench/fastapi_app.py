"""What uvicorn serves: FastAPI, answering what is in the file that ``BENCH_DOCUMENT`` names."""

import json
import os
from typing import Any

from fastapi import FastAPI

with open(os.environ["BENCH_DOCUMENT"], "rb") as file:
    DOCUMENT = json.load(file)

app = FastAPI()


@app.get("/api/v1/whoami")
async def whoami() -> Any:
    return DOCUMENT
