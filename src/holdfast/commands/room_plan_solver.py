"""Which of the offered places are taken, by CP-SAT: a program of its own (`python -m`), since it computes for seconds, and
whoever has not installed it must not load it. Reads a Puzzle as JSON, writes a Solution; knows nothing of clinics.

`cp_model`, the usual door to CP-SAT, loads pandas for a second and a half; the models here are put together without it.

A small puzzle is solved whole, and so proven. A large one is made better piece by piece: a few places at a time are filled
anew, each piece solved by CP-SAT; how much better it could be at most is said by prices (decision 0014).
"""

import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import msgspec
from ortools.sat.python import cp_model_helper as sat

from holdfast.commands.room_puzzle import Puzzle, Solution

_WHOLE_OFFERS_MAX: Final = 4_000
_WHOLE_SHARE: Final = 0.6
_PIECE_PLACES: Final = 6
_PIECE_SECONDS_MAX: Final = 0.3
_IDLE_PIECES_MAX: Final = 100
"""So many pieces that were good already, one after the other, are enough."""
_PRICE_ROUNDS: Final = 300


class _Search:
    """A choice that is made better and better. It begins with everybody who can stay staying."""

    def __init__(self, puzzle: Puzzle, over: float) -> None:
        self._offers, self._limits, self._over = puzzle.offers, puzzle.limits, over
        self._own: dict[int, list[int]] = defaultdict(list)
        self._in_place: dict[int, list[int]] = defaultdict(list)
        for n, offer in enumerate(puzzle.offers):
            self._own[offer.who].append(n)
            self._in_place[offer.place].append(n)
        self._limits_of: dict[int, list[int]] = defaultdict(list)
        for at, limit in enumerate(puzzle.limits):
            for n in limit.offers:
                self._limits_of[n].append(at)
        self._has_stay = {offer.who for offer in puzzle.offers if offer.stays}
        self._taken_by = {offer.who: n for n, offer in enumerate(puzzle.offers) if offer.stays}
        best_scores = [max(puzzle.offers[n].score for n in own) for own in self._own.values()]
        # One fit place more outweighs whatever it costs others, and one point outweighs every move.
        fit_worth, score_worth = sum(best_scores) + 1, len(self._own) + 1
        self._worth = [
            (offer.fit * fit_worth + offer.score) * score_worth + offer.stays for offer in puzzle.offers
        ]
        self._best = {who: max(self._worth[n] for n in own) for who, own in self._own.items()}
        self._most = sum(self._best.values())
        self._bound = sum(best_scores)

    @property
    def left(self) -> float:
        """Seconds."""
        return self._over - time.monotonic()

    @property
    def is_small(self) -> bool:
        return len(self._offers) <= _WHOLE_OFFERS_MAX

    @property
    def is_optimal(self) -> bool:
        return self._value() >= self._most

    def _value(self) -> int:
        return sum(self._worth[n] for n in self._taken_by.values())

    def _worth_of(self, who: int) -> int:
        taken = self._taken_by.get(who)
        return 0 if taken is None else self._worth[taken]

    def solution(self) -> Solution:
        score = sum(self._offers[n].score for n in self._taken_by.values())
        bound = score if self.is_optimal else max(score, self._bound)
        return Solution(sorted(self._taken_by.values()), bound, self.is_optimal)

    def whole(self) -> None:
        """The best choice of all, if the time is enough to prove it."""
        if self._solve(range(len(self._offers)), self.left * _WHOLE_SHARE):
            self._most = self._value()

    def piece(self, chance: random.Random) -> bool:
        """Fills some places anew: a better one for somebody who is not where they would be best, where they are now, and
        others. False if nobody is better off."""
        who = chance.choice([who for who, best in self._best.items() if self._worth_of(who) < best])
        better = [n for n in self._own[who] if self._worth[n] > self._worth_of(who)]
        places = {self._offers[chance.choice(better)].place}
        if who in self._taken_by:
            places.add(self._offers[self._taken_by[who]].place)
        others = [place for place in self._in_place if place not in places]
        places.update(chance.sample(others, min(len(others), _PIECE_PLACES - len(places))))
        elsewhere = {who for who, n in self._taken_by.items() if self._offers[n].place not in places}
        free = [n for place in places for n in self._in_place[place] if self._offers[n].who not in elsewhere]
        before = self._value()
        self._solve(free, min(_PIECE_SECONDS_MAX, self.left))
        return self._value() > before

    def _solve(self, free: Iterable[int], seconds: float) -> bool:
        """Takes the best choice among some offers, everybody else being where they are; whether it is proven best."""
        taken_now = set(self._taken_by.values())
        asked = sorted(free)
        variable = {n: at for at, n in enumerate(asked)}
        model = sat.CpModelProto()
        for _ in asked:
            model.variables.add().domain.extend([0, 1])
        of: dict[int, list[int]] = defaultdict(list)
        for n in asked:
            of[self._offers[n].who].append(variable[n])
        for who, own in of.items():
            choice = model.constraints.add()
            (choice.exactly_one if who in self._has_stay else choice.at_most_one).literals.extend(own)
        for at in sorted({at for n in asked for at in self._limits_of[n]}):
            limit = self._limits[at]
            inside = [variable[n] for n in limit.offers if n in variable]
            most = limit.most - sum(n in taken_now for n in limit.offers if n not in variable)
            if most == 1:
                model.constraints.add().at_most_one.literals.extend(inside)
            elif most < len(inside):
                total = model.constraints.add().linear
                total.vars.extend(inside)
                total.coeffs.extend([1] * len(inside))
                total.domain.extend([0, most])
        model.solution_hint.vars.extend(range(len(asked)))
        model.solution_hint.values.extend([int(n in taken_now) for n in asked])
        model.objective.vars.extend(range(len(asked)))
        model.objective.coeffs.extend([-self._worth[n] for n in asked])  # the least is looked for
        wrapper = sat.SolveWrapper()
        wrapper.set_parameters(_parameters(seconds))
        response = wrapper.solve(model)  # type: ignore[no-untyped-call]
        if response.status in (sat.OPTIMAL, sat.FEASIBLE):
            chosen = {self._offers[n].who: n for n in asked if response.solution[variable[n]]}
            if sum(self._worth[n] for n in chosen.values()) > sum(self._worth_of(who) for who in of):
                self._taken_by = {who: n for who, n in self._taken_by.items() if who not in of} | chosen
        return bool(response.status == sat.OPTIMAL)

    def price(self) -> None:
        """Bounds the score: each limit has a price, everybody takes the place that is best after its prices, and what is paid
        is given back (Lagrange's relaxation, prices by subgradients; any prices give a bound)."""
        import numpy as np

        if not self._limits:
            return
        order = [n for own in self._own.values() for n in own]
        position = {n: at for at, n in enumerate(order)}
        sizes = [len(own) for own in self._own.values()]
        first = np.cumsum([0, *sizes[:-1]])
        must = np.array([who in self._has_stay for who in self._own])
        scores = np.array([self._offers[n].score for n in order], dtype=float)
        inside = np.array([position[n] for limit in self._limits for n in limit.offers])
        limit_of = np.repeat(np.arange(len(self._limits)), [len(limit.offers) for limit in self._limits])
        most = np.array([limit.most for limit in self._limits], dtype=float)
        prices, step, idle = np.zeros(len(most)), 1.5, 0
        aim = float(sum(self._offers[n].score for n in self._taken_by.values()))
        for _ in range(_PRICE_ROUNDS):
            left = scores - np.bincount(inside, weights=prices[limit_of], minlength=len(scores))
            best = np.maximum.reduceat(left, first)
            total = float(prices @ most + np.where(must, best, np.maximum(best, 0)).sum())
            idle = 0 if total < self._bound else idle + 1
            step = step * 0.7 if idle % 15 == 14 else step
            self._bound = min(self._bound, int(total + 1e-6))
            wanted = (left >= np.repeat(best, sizes) - 1e-9) & np.repeat(must | (best > 0), sizes)
            shares = wanted / np.maximum(np.repeat(np.add.reduceat(wanted.astype(int), first), sizes), 1)
            excess = np.bincount(limit_of, weights=shares[inside], minlength=len(most)) - most
            excess[(prices <= 0) & (excess < 0)] = 0
            if not excess.any() or total <= aim or self.left < 0:
                break
            prices = np.maximum(0, prices + step * (total - aim) / float(excess @ excess) * excess)


def _parameters(seconds: float) -> sat.SatParameters:
    parameters = sat.SatParameters()
    parameters.max_time_in_seconds = max(0.01, seconds)
    # One thread and one seed: the same day gives the same plan, and bookings have the other cores.
    parameters.num_workers = 1
    parameters.random_seed = 1
    parameters.linearization_level = 2  # it is an assignment: the linear relaxation is most of the proof
    return parameters


def solve(puzzle: Puzzle, over: float) -> Solution:
    """`over`: when to be ready, on the clock of `time.monotonic`, which is one for all processes."""
    search = _Search(puzzle, over)
    if search.is_small and not search.is_optimal:
        search.whole()
    if not search.is_optimal:
        search.price()
    chance, idle = random.Random(1), 0  # noqa: S311 a search, not a secret
    while not search.is_optimal and search.left > _PIECE_SECONDS_MAX and idle < _IDLE_PIECES_MAX:
        idle = 0 if search.piece(chance) else idle + 1
    return search.solution()


def main() -> None:
    os.nice(5)  # bookings go first
    puzzle = msgspec.json.decode(sys.stdin.buffer.read(), type=Puzzle)
    sys.stdout.buffer.write(msgspec.json.encode(solve(puzzle, over=float(sys.argv[1]))))


if __name__ == "__main__":
    main()
