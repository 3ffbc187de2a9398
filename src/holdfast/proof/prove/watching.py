"""What can be seen of the place where a proof runs, while a scenario's load runs there."""

from holdfast.proof.evidence.watched import Eyes, eyes_on
from holdfast.proof.prove.client import Client, Unexpected
from holdfast.proof.prove.place import Place
from holdfast.proof.report import model
from holdfast.proof.report.model import NotApplicable

HTTP_ONLY = "Over HTTP alone nothing is known of the database."


def eyes_of(place: Place) -> Eyes:
    """Everything of our own server and engine; of an installation elsewhere what it tells of itself."""
    if place.server is not None and place.engine is not None:
        return eyes_on(place.server, place.engine)
    return Eyes(metrics=lambda: _metrics(place))


def _metrics(place: Place) -> str:
    """Raises OSError, also where it is not told to whoever asks from here."""
    try:
        with Client(place.address) as client:
            status, text = client.send("GET", "/metrics")
    except Unexpected as error:
        raise OSError(str(error)) from None
    if status != 200:
        raise OSError(f"/metrics was answered {status}")
    return text.decode()


def span(inside: model.Inside, name: str) -> model.Distribution | None:
    """A span's times, if the server told them."""
    if isinstance(inside.spans, NotApplicable):
        return None
    return next((each.distribution for each in inside.spans if each.name == name), None)
