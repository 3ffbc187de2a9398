"""The three organizations of the seeds' load test, with their 55 authorizations, as one load."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from holdfast.proof.prove.client import Client
from holdfast.proof.prove.organization import Furniture, Organization
from holdfast.proof.prove.stage import Stage, furnished
from holdfast.proof.prove.units import Account, accounts
from holdfast.proof.report import model
from holdfast.proof.report.figures import count

_SHARES: Final = ((10, 4, 30), (5, 3, 15), (5, 3, 10))
"""Patients, practitioners and authorizations of each."""


@dataclass(frozen=True)
class Three:
    organizations: list[Organization]
    admins: list[Client]

    def accounts(self) -> list[Account]:
        """All authorizations, each with what a request to it must say."""
        pairs = zip(self.organizations, self.admins, strict=True)
        return [each for of, admin in pairs for each in accounts(of, admin.token)]

    def signed_in_anew(self) -> list[Account]:
        """The accounts with fresh tokens: a long load outlives those that it began with."""
        for of, admin in zip(self.organizations, self.admins, strict=True):
            with of.signed_in() as fresh:
                admin.token = fresh.token
        return self.accounts()

    def data(self) -> tuple[model.Named, ...]:
        """What all of them together are made of."""
        totals: dict[str, model.Named] = {}
        for of in self.organizations:
            for each in furnished(of):
                before = totals.get(each.name)
                if before is None or not isinstance(before.figure, model.Figure):
                    totals[each.name] = each
                elif isinstance(each.figure, model.Figure):
                    n = int(before.figure.value + each.figure.value)
                    totals[each.name] = model.Named(name=each.name, what=each.what, figure=count(n, n))
        many = len(self.organizations)
        return (
            model.Named(name="organizations", what="organizations", figure=count(many, many)),
            *totals.values(),
        )


def divided(name: str, units: Sequence[int]) -> list[Furniture]:
    """What the three organizations have. `units`: of each of the 55 authorizations."""
    left, found = list(units), []
    for number, (patients, practitioners, authorizations) in enumerate(_SHARES, 1):
        theirs, left = left[:authorizations], left[authorizations:]
        found.append(Furniture(
            name=f"{name} {number}", practitioners=practitioners, patients=patients, authorizations=tuple(theirs)
        ))  # fmt: skip
    return found


@contextmanager
def three(stage: Stage, name: str, units: Sequence[int]) -> Iterator[Three]:
    """The organizations of `divided` on a stage."""
    with ExitStack() as stack:
        made = [stack.enter_context(stage.organization(each)) for each in divided(name, units)]
        yield Three(made, [stack.enter_context(each.signed_in()) for each in made])
