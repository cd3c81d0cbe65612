import dataclasses

import numpy as np
import pytest

from data_pipelines.synthetic import assets
from data_pipelines.synthetic.people import (
  hair,
  hair_colours,
  hair_styles,
  scalp,
  strands,
)
from data_pipelines.synthetic.people.heads import sample_identity
from data_pipelines.synthetic.people.traits import sample_traits, stream

SEEDS = range(6)
PLAIN = hair_colours.Colours(np.full(3, 0.1), np.full(3, 0.2), 0.3)
_FLAT = scalp.Hairline()


@pytest.fixture(scope='module')
def people():
  return {seed: sample_identity(seed) for seed in SEEDS}


@pytest.fixture(scope='module')
def styles(people):
  """{style: (seed, pieces)}: every style once, on heads of different people."""
  out = {}
  for i, (name, cut) in enumerate(hair_styles.CUTS.items()):
    seed = i % len(SEEDS)
    kind = cut.kinds[i % len(cut.kinds)]
    worn = hair_styles.Worn(cut, kind, _FLAT, 1.0)
    rng = np.random.default_rng(i)
    out[name] = seed, hair.grow_style(worn, PLAIN, people[seed].vertices, rng)
  return out


def places(part, vertices):
  return (vertices[part.ref] * part.weight[..., None]).sum(1) + part.offset


def test_pieces_are_well_formed_and_within_the_budget(styles):
  for name, (_, pieces) in styles.items():
    assert sum(len(p.part.triangles) for p in pieces) < 7000, name
    assert len({p.name for p in pieces}) == len(pieces)
    for piece in pieces:
      part = piece.part
      assert piece.name.startswith('hair')
      assert np.isfinite(part.offset).all() and np.isfinite(part.uv).all()
      assert np.abs(part.weight.sum(1) - 1).max() < 1e-5
      assert part.triangles.min() >= 0 and part.triangles.max() < len(part.ref)
      assert len(part.position_id) == len(part.ref) == len(part.uv)
      assert part.ref.max() < len(assets.load_assets().vertices)
      assert piece.texture.dtype == np.uint8 and piece.texture.shape[2] == 4


def test_hair_does_not_pass_through_the_skin(styles, people):
  for name, (seed, pieces) in styles.items():
    vertices = people[seed].vertices
    surface = scalp.Surface(vertices)
    for piece in pieces:
      height = surface.height(places(piece.part, vertices))
      assert np.quantile(height, 0.01) > -0.05, (name, piece.name)
      assert height.min() > -0.16, (name, piece.name)


def test_eyes_stay_free(styles, people):
  """No card of any style crosses the eyes as seen from the front."""
  for name, (seed, pieces) in styles.items():
    vertices = people[seed].vertices
    face = strands.face_of(vertices)
    for piece in pieces:
      at = places(piece.part, vertices)
      front = at[:, 2] > face.front + 0.1
      for eye in face.eyes:
        near = (np.abs(at[:, 0] - eye[0]) < 0.15) & (np.abs(at[:, 1] - eye[1]) < 0.1)
        assert not (near & front).any(), (name, piece.name)


def test_strands_run_from_root_to_tip(styles, people):
  seed, pieces = styles['long']
  part = {p.name: p for p in pieces}['hair'].part
  at = places(part, people[seed].vertices)
  top, tip = part.uv[:, 1] > 0.9, part.uv[:, 1] < 0.1
  assert at[top, 1].mean() > at[tip, 1].mean() + 1.0
  surface = scalp.Surface(people[seed].vertices)
  assert np.median(surface.height(at[part.uv[:, 1] > 0.99])) < 0.05


def test_long_hair_turns_with_the_head_at_the_top_and_less_below(styles):
  _, pieces = styles['long']
  part = {p.name: p for p in pieces}['hair'].part
  share = (assets.load_assets().head_weight[part.ref] * part.weight).sum(1)
  roots = share[part.uv[:, 1] > 0.99]  # at the nape the skin turns less, too
  assert np.median(roots) > 0.99 and roots.min() > 0.7
  assert share[part.uv[:, 1] < 0.1].mean() < 0.6


def test_a_seed_always_grows_the_same_hair(people):
  traits = next(t for t in map(sample_traits, SEEDS) if people[t.seed].hair is None)
  one = hair.grow_hair(traits, people[traits.seed].vertices)
  two = hair.grow_hair(traits, people[traits.seed].vertices)
  assert len(one.pieces) == len(two.pieces) > 0
  for a, b in zip(one.pieces, two.pieces, strict=True):
    assert a.material == b.material
    assert a.part.offset.tobytes() == b.part.offset.tobytes()
    assert a.texture is b.texture


def test_styles_follow_sex_age_and_ancestry():
  traits = sample_traits(0)

  def worn(male, age, race, count=300):
    group = dataclasses.replace(traits, male=male, age=age, race=np.array(race))
    rngs = (stream(seed, topic='hair') for seed in range(count))
    return [hair_styles.sample_worn(rng, group) for rng in rngs]

  european, african, asian = [0, 0, 1.0], [1.0, 0, 0], [0, 1.0, 0]
  young_men, old_men = worn(1.0, 0.1, european), worn(1.0, 1.0, european)
  women = worn(0.0, 0.1, european)

  def long(group):
    return np.mean([w.cut.floor is not None or w.cut.tie is not None for w in group])

  def bald(group):
    return np.mean([w.line.crown > 0 or w.line.bald_top < 90 for w in group])

  assert long(women) > 0.6 and long(young_men) < 0.2
  assert bald(women) == 0 and bald(young_men) < 0.06 and 0.15 < bald(old_men) < 0.7
  coily = [
    np.mean([w.kind == 'coily' for w in worn(0.0, 0.1, r)])
    for r in (african, asian, european)
  ]
  assert coily[0] > 0.5 and coily[1] == 0 and coily[2] < 0.08


def test_a_bald_crown_has_no_roots():
  full = scalp.field(_FLAT)
  bald = scalp.field(dataclasses.replace(_FLAT, crown=30.0))
  near = scalp.scalp_map().crown < 15
  assert near.any() and (full[near] > 10).all() and (bald[near] < 0).all()


def test_the_surface_lifts_points_out_of_the_head(people):
  surface = scalp.Surface(people[0].vertices)
  skin = people[0].vertices[scalp.scalp_map().cap[:, 0]]
  inside = skin * 0.97 + 0.03 * skin.mean(0)
  lifted, normals = surface.lift(inside, 0.1)
  assert surface.height(inside).max() < 0.02
  assert np.abs(surface.height(lifted) - 0.1).max() < 0.08
  assert np.abs(np.linalg.norm(normals, axis=1) - 1).max() < 1e-4
