import dataclasses

import numpy as np
import pytest

from data_pipelines.errors import UsageError, UserError
from data_pipelines.synthetic.recipe import SPLIT_OFFSET, SPLITS, Recipe, claim

TINY = Recipe(clips=3, size=32, voices=('formant:man',))


def test_splits_share_no_people():
  recipes = [
    dataclasses.replace(TINY, split=split, seed=seed)
    for split in SPLITS
    for seed in (0, 1, 65535)
  ]
  people = [recipe.person(i) for recipe in recipes for i in (0, 1, (1 << 24) - 1)]
  assert len(set(people)) == len(people)
  assert max(Recipe(1, 32, 65535, stills=1.0).person(0) for _ in '1') < 1 << 40


def test_stills_are_spread_evenly():
  recipe = dataclasses.replace(TINY, clips=1000, stills=0.25)
  still = np.array([recipe.is_still(i) for i in range(1000)])
  assert still.sum() == 250
  assert set(np.diff(np.flatnonzero(still))) == {4}


@pytest.mark.parametrize(
  'wrong',
  [
    {'clips': 0}, {'size': 4}, {'stills': 1.5}, {'frames': 1}, {'seed': -1},
    {'split': 'dev'}, {'voices': ()},
  ],
)  # fmt: skip
def test_a_wrong_recipe_is_a_usage_error(wrong):
  with pytest.raises(UsageError):
    dataclasses.replace(TINY, **wrong)


def test_shards_hold_every_clip_once():
  recipe = dataclasses.replace(TINY, clips=37)
  held = [i for number in range(recipe.shards) for i in recipe.shard(number)]
  assert held == list(range(37))


def test_the_oracle_set_has_people_of_its_own():
  assert set(SPLIT_OFFSET) == {*SPLITS, 'oracle'}
  assert len(set(SPLIT_OFFSET.values())) == 4


def test_a_folder_belongs_to_one_recipe(tmp_path):
  claim(tmp_path / 'new', TINY)
  claim(tmp_path / 'new', TINY)
  claim(tmp_path / 'new', dataclasses.replace(TINY, split='test'))
  with pytest.raises(UserError, match='another train corpus'):
    claim(tmp_path / 'new', dataclasses.replace(TINY, seed=1))
  assert sorted(p.name for p in (tmp_path / 'new').iterdir()) == [
    'recipe-test.json', 'recipe-train.json',
  ]  # fmt: skip
