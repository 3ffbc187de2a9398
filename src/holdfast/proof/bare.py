"""Y4, the bare server: one FastAPI route with a pydantic model in and out, no authentication, no database, one worker
(`python -m holdfast.proof.bare PORT`). What Python's usual stack does with a booking-sized body at the most.

FastAPI is in the development group only: `missing()` says what is not there. It is imported by name at run time, since
the product does not depend on it.
"""

import importlib
import importlib.util
import sys
from typing import Any

import uvicorn

PATH = "/bookings"
_NEEDED = ("fastapi", "pydantic")


def missing() -> list[str]:
    """The packages that Y4 needs and this installation lacks."""
    return [name for name in _NEEDED if importlib.util.find_spec(name) is None]


def create() -> Any:
    """The application, as FastAPI's own documentation would write it: the fields of a booking, checked and echoed."""
    fastapi, pydantic = (importlib.import_module(name) for name in _NEEDED)
    uuid, datetime = importlib.import_module("uuid"), importlib.import_module("datetime")
    booking = pydantic.create_model(
        "Booking",
        clinic_id=(uuid.UUID, ...),
        patient_id=(uuid.UUID, ...),
        practitioner_id=(uuid.UUID, ...),
        service_id=(uuid.UUID, ...),
        start=(datetime.datetime, ...),
    )
    application = fastapi.FastAPI()

    async def book(body: Any) -> Any:
        return body

    book.__annotations__ = {"body": booking, "return": booking}
    application.post(PATH, status_code=201)(book)
    return application


def main() -> None:
    uvicorn.run(
        "holdfast.proof.bare:create", factory=True, host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop",
        http="httptools", ws="none", access_log=False, server_header=False, log_level="warning",
    )  # fmt: skip


if __name__ == "__main__":
    main()
