import dataclasses

import numpy as np
import pytest

from data_pipelines.synthetic import assets
from data_pipelines.synthetic.people import beard, scalp
from data_pipelines.synthetic.people.heads import sample_identity
from data_pipelines.synthetic.people.traits import sample_traits, stream

AREAS = ('full', 'goatee', 'moustache', 'chin', 'strap')
JAW = assets.UNITS.index('jawOpen')


@pytest.fixture(scope='module')
def person():
  return sample_identity(1)


@pytest.fixture(scope='module')
def beards(person):
  """{(area, length): pieces}."""
  out = {}
  for area in AREAS:
    for length in (0.1, 0.7):
      worn = beard.Beard(area, length, 0.1, 1.0)
      rng = np.random.default_rng(3)
      colour = np.full(3, 0.1)
      out[area, length] = beard.grow_on(worn, 'wavy', colour, person.vertices, rng)
  return out


def places(part, vertices):
  return (vertices[part.ref] * part.weight[..., None]).sum(1) + part.offset


def test_pieces_are_well_formed_and_within_the_budget(beards):
  for key, pieces in beards.items():
    assert sum(len(p.part.triangles) for p in pieces) < 2700, key
    assert len({p.name for p in pieces}) == len(pieces) >= 2
    for piece in pieces:
      part = piece.part
      assert piece.name.startswith('beard') and not piece.rigid
      assert np.isfinite(part.offset).all() and np.isfinite(part.uv).all()
      assert np.abs(part.weight.sum(1) - 1).max() < 1e-5
      assert 0 <= part.triangles.min() and part.triangles.max() < len(part.ref)


def test_a_beard_lies_on_the_skin_and_not_in_it(beards, person):
  surface = scalp.Surface(person.vertices)
  for key, pieces in beards.items():
    for piece in pieces:
      height = surface.height(places(piece.part, person.vertices))
      assert np.quantile(height, 0.02) > -0.03, key
      assert height.min() > -0.1, key


def test_lips_stay_free(beards, person):
  """No root of any hair lies on a lip, on the base mesh."""
  base = assets.load_assets().vertices
  for pieces in beards.values():
    for piece in pieces:
      if piece.name == 'beard_cap':
        continue
      part = piece.part
      root = (base[part.ref] * part.weight[..., None]).sum(1)
      on_lip = (np.abs(root[:, 1] - 6.6) < 0.08) & (np.abs(root[:, 0]) < 0.15)
      assert not (on_lip & (root[:, 2] > 1.3)).any()


def test_a_moustache_ends_above_the_lower_lip(beards, person):
  base = assets.load_assets().vertices
  middle = (np.abs(base[:, 0]) < 0.01) & (base[:, 2] > 1.5)
  gap = middle & (np.abs(base[:, 1] - 6.61) < 0.02)
  mouth = person.vertices[gap, 1].mean()
  for length in (0.1, 0.7):
    for piece in beards['moustache', length]:
      at = places(piece.part, person.vertices)
      middle = np.abs(at[:, 0]) < 0.12
      assert at[middle, 1].min() > mouth - 0.02


def test_the_chin_follows_the_jaw_and_the_moustache_does_not(beards, person):
  opened = person.vertices + assets.load_assets().units[JAW]

  def shift(area):
    part = {p.name: p for p in beards[area, 0.1]}['beard_soft'].part
    moved = places(part, opened) - places(part, person.vertices)
    return np.linalg.norm(moved, axis=1)

  assert np.median(shift('chin')) > 0.25
  assert np.median(shift('moustache')) < 0.12


def test_a_seed_always_grows_the_same_beard(person):
  traits = dataclasses.replace(sample_traits(0), male=1.0, age=0.5)
  for seed in range(30):
    one = beard.grow_beard(dataclasses.replace(traits, seed=seed), person.vertices)
    if one:
      break
  two = beard.grow_beard(dataclasses.replace(traits, seed=seed), person.vertices)
  assert len(one) == len(two) > 0
  for a, b in zip(one, two, strict=True):
    assert a.material == b.material
    assert a.part.offset.tobytes() == b.part.offset.tobytes()


def test_beards_are_worn_by_some_men_and_no_women():
  traits = sample_traits(0)

  def share(male, age, race):
    group = dataclasses.replace(traits, male=male, age=age, race=np.array(race))
    drawn = (
      beard.sample_beard(stream(seed, topic='beard'), group) for seed in range(400)
    )
    return np.mean([b is not None for b in drawn])

  assert share(0.2, 0.4, [0, 0, 1.0]) == 0
  assert 0.25 < share(1.0, 0.4, [0, 0, 1.0]) < 0.7
  assert share(1.0, 0.4, [0, 1.0, 0]) < 0.6 * share(1.0, 0.4, [0, 0, 1.0])
