"""How the company's planner sets reorder points and order-up-to levels: sensible, but not for every item."""

from __future__ import annotations

import numpy as np

from evals.worlds.catalogue import Catalogue
from evals.worlds.demand import season
from evals.worlds.parameters import WorldParameters

REVIEW_DAYS = 14
_WINDOW = 56
_REVISED_EVERY = 28
_REVISED_SELDOM = 196
_SAFETY = {"A": 0.55, "B": 0.4, "C": 0.3}
_COVER = {"A": 9.5, "B": 16.5, "C": 38.0}
_COVER_BY_SEGMENT = {"imported": 1.7, "strategic": 1.0, "long_tail": 1.0, "domestic": 0.75}


class Replenishment:
    """Reorder point and order-up-to level per cell, from orders seen and the planner's habits.

    Cells are item × location, flattened. Most are revised every four weeks with the season in mind;
    the planner's neglected ones only twice a year, and some are bought in quantities of old habit.
    """

    def __init__(
        self,
        world: WorldParameters,
        catalogue: Catalogue,
        expected_units: np.ndarray,
        rng: np.random.Generator,
    ) -> None:
        items, places = len(catalogue.items), len(catalogue.locations)
        cells = items * places
        self.seen = np.zeros((cells, world.days))
        self._world = world
        self._places = places
        self._season = season(world, catalogue)
        self._season_sum = np.pad(np.cumsum(self._season, axis=1), ((0, 0), (1, 0)))
        self._expected = expected_units
        self._lead = np.repeat(
            [catalogue.suppliers[item.sources[0].supplier].lead + 2 for item in catalogue.items], places
        )
        self._introduced = np.repeat([item.introduced for item in catalogue.items], places)
        self._safety = np.repeat([_SAFETY[item.abc] for item in catalogue.items], places) * rng.lognormal(
            0, 0.5, cells
        )
        self._cover = np.repeat([_COVER[item.abc] for item in catalogue.items], places)
        self._cover = self._cover * np.repeat(
            [
                _COVER_BY_SEGMENT[catalogue.suppliers[item.sources[0].supplier].segment]
                for item in catalogue.items
            ],
            places,
        )
        self._cover = self._cover * np.where(rng.random(cells) < 0.08, rng.uniform(2.5, 5.0, cells), 1.0)
        self._careful = rng.random(cells) < world.planner_skill
        self._guess = rng.lognormal(0, 0.3, cells)
        self._level = self._first_guess(0)

    def _first_guess(self, day: int) -> np.ndarray:
        ahead = self._expected[:, day : day + 120]
        level = ahead.mean(axis=1) if ahead.shape[1] else np.zeros(len(self._expected))
        return np.asarray(level * self._guess)

    def revise(self, day: int) -> None:
        """The planner's monthly round; does nothing on other days."""
        if day % _REVISED_EVERY or day < 28:
            return
        window = slice(max(0, day - _WINDOW), day)
        rate = self.seen[:, window].mean(axis=1)
        usual = np.repeat(self._season[:, window].mean(axis=1), self._places)
        level = rate / np.maximum(usual, 0.3)
        due = self._careful | (day % _REVISED_SELDOM == 0)
        settled = day - self._introduced >= _WINDOW
        new = (self._introduced > 0) & ~settled
        self._level = np.where(new, self._first_guess(min(day + 30, self._world.days - 60)), self._level)
        self._level = np.where(settled & due, 0.35 * self._level + 0.65 * level, self._level)

    def targets(self, cells: np.ndarray, day: int) -> tuple[np.ndarray, np.ndarray]:
        """Reorder points and order-up-to levels of the cells on a day, in units."""
        lead = self._lead[cells]
        stop = np.minimum(day + lead + self._cover[cells].astype(int), self._world.days)
        items = cells // self._places
        season_ahead = (self._season_sum[items, stop] - self._season_sum[items, day]) / (stop - day)
        factor = np.where(self._careful[cells], season_ahead, 1.0)
        rate = self._level[cells] * factor
        exposed = lead + REVIEW_DAYS
        point = rate * exposed + self._safety[cells] * np.sqrt(np.maximum(rate, 0.0) * exposed * 2.2)
        return point, point + np.maximum(rate * self._cover[cells], 1.0)

    def stocked_from(self, day: int) -> np.ndarray:
        """Which cells are bought at all on a day: new items from one lead time before their introduction."""
        return self._introduced - self._lead - 20 <= day
