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

PATH, UNITS_PATH = "/bookings", "/reservations"
_NEEDED = ("fastapi", "pydantic")


def missing() -> list[str]:
    """The packages that Y4 needs and this installation lacks."""
    return [name for name in _NEEDED if importlib.util.find_spec(name) is None]


def create() -> Any:
    """The application, as FastAPI's own documentation would write it: the fields of a booking, or of a reservation of units,
    checked and echoed."""
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
    reservation = pydantic.create_model(
        "Reservation", units=(int, ...), date=(datetime.date | None, None), note=(str | None, None)
    )
    application = fastapi.FastAPI()
    for path, status, model in ((PATH, 201, booking), (UNITS_PATH, 200, reservation)):

        async def echo(body: Any) -> Any:
            return body

        echo.__annotations__ = {"body": model, "return": model}
        application.post(path, status_code=status)(echo)
    return application


def main() -> None:
    uvicorn.run(
        "holdfast.proof.bare:create", factory=True, host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop",
        http="httptools", ws="none", access_log=False, server_header=False, log_level="warning",
    )  # fmt: skip


if __name__ == "__main__":
    main()
