"""How long practitioners need after a visit: as a rule says, or else as they say themselves."""

from holdfast.rules.facts import Directory, Visit
from holdfast.rules.policy.policy import in_force
from holdfast.rules.policy.question import Question


def buffers(directory: Directory, visit: Visit) -> dict[str, int]:
    """Minutes by practitioner of the visit's lines."""
    own = {
        line.practitioner_id: directory.practitioners[line.practitioner_id].buffer_minutes
        for line in visit.lines
    }
    policy = in_force(directory)
    if not policy.asks_buffers:
        return own
    clinic, service = directory.clinics[visit.clinic_id], directory.services[visit.lines[0].service_id]
    question = Question(clinic, directory.rooms_of[clinic.id], service, None, visit, 0)
    by_rule = {who: policy.buffer_minutes(question, who) for who in own}
    return {who: minutes if (ruled := by_rule[who]) is None else ruled for who, minutes in own.items()}
