"""Glasses, hats, coverings, scarves, earrings: fit, budgets, shares, the same again."""

import dataclasses

import numpy as np
import pytest

from data_pipelines.synthetic import assets
from data_pipelines.synthetic.people import clothes, hair, heads, traits
from data_pipelines.synthetic.people.pieces import GLASS
from data_pipelines.synthetic.people.wear import (
  brimmed,
  dress,
  earrings,
  glasses,
  headphones,
  headwear,
  tuck,
  wraps,
)
from data_pipelines.synthetic.people.wear.dress import HEADWEAR, choose
from data_pipelines.synthetic.people.wear.head_map import _cast, head_map
from data_pipelines.synthetic.people.wear.landmarks import landmarks

HATS = {
  'cap': headwear.make_cap,
  'beanie': headwear.make_beanie,
  'brimmed': brimmed.make_brimmed,
  'bandana': headwear.make_bandana,
  'turban': headwear.make_turban,
}
WRAPS = {
  'hijab': wraps.make_hijab,
  'headscarf': wraps.make_headscarf,
  'hood': wraps.make_hood,
}
SEEDS = (1, 4, 6)


@pytest.fixture(scope='module')
def people():
  """{seed: (neutral mesh, landmarks, head map)}."""
  out = {}
  for seed in SEEDS:
    mesh = heads.sample_identity(seed).vertices
    out[seed] = (mesh, landmarks(mesh), head_map(mesh))
  return out


def units(**amounts):
  out = np.zeros(52, np.float32)
  for name, amount in amounts.items():
    for full in (name, name + 'Left', name + 'Right'):
      if full in assets.UNITS:
        out[assets.UNITS.index(full)] = amount
  return out


def moved(mesh, amounts):
  """The mesh (n, 3) under face units."""
  return mesh + np.tensordot(amounts, assets.load_assets().units, 1)


def points(part, mesh):
  """Vertices (m, 3) of a part on a mesh."""
  return (mesh[part.ref] * part.weight[..., None]).sum(1) + part.offset


def covers(corners):
  """Whether any of the triangles (t, 3, 2) covers the origin."""
  a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
  turns = [p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0] for p, q in ((a, b), (b, c), (c, a))]
  turns = np.stack(turns)
  return bool(((turns > 0).all(0) | (turns < 0).all(0)).any())


def all_pieces(people):
  for seed, (mesh, marks, head) in people.items():
    rng = np.random.default_rng(seed)
    for male in (False, True):
      frame = glasses.sample_frame(rng, float(male), 0.4)
      yield seed, glasses.make_glasses(frame, rng, mesh, marks)
      yield seed, (earrings.make_earrings(rng, male, mesh, marks),)
    yield seed, (wraps.make_scarf(rng, mesh, head, marks),)
    style = hair.Hair('hair_afro01')
    yield seed, (headphones.make_headphones(rng, mesh, marks, style),)
    for make in (HATS | WRAPS).values():
      yield seed, make(rng, mesh, head, marks).pieces


def test_pieces_are_sound_and_small(people):
  for seed, pieces in all_pieces(people):
    mesh = people[seed][0]
    for piece in pieces:
      part = piece.part
      assert len(part.triangles) < 3000, piece.name
      assert part.triangles.min() >= 0 and part.triangles.max() < len(part.ref)
      np.testing.assert_allclose(part.weight.sum(1), 1, atol=1e-5)
      assert np.isfinite(part.offset).all() and np.isfinite(part.uv).all()
      assert (np.abs(points(part, mesh) - people[seed][1].crown) < 4.5).all()
      assert len(part.position_id) == len(part.ref) == len(part.uv)
      assert piece.texture.dtype == np.uint8 and piece.texture.shape[2] == 4


def test_the_same_person_wears_the_same():
  seed = next(
    s for s in range(200) if {'glasses', 'cap'} <= set(choose(traits.sample_traits(s)))
  )
  first, second = (heads.sample_identity(seed) for _ in range(2))
  assert [p.name for p in first.pieces] == [p.name for p in second.pieces]
  assert any(p.name == 'hat_cap' for p in first.pieces)
  for a, b in zip(first.pieces, second.pieces, strict=True):
    np.testing.assert_array_equal(a.part.offset, b.part.offset)
    np.testing.assert_array_equal(a.texture, b.texture)


@pytest.mark.parametrize('shape', list(glasses.SHAPES))
def test_lenses_stand_before_the_eyes_and_nothing_before_them(people, shape):
  rng = np.random.default_rng(5)
  for mesh, marks, _ in people.values():
    frame = dataclasses.replace(glasses.sample_frame(rng, 0.5, 0.4), shape=shape)
    rims, panes = glasses.make_glasses(frame, rng, mesh, marks)
    assert panes.material.kind == GLASS and panes.material.see_through
    assert rims.rigid and panes.rigid
    glass = points(panes.part, mesh)
    skin = assets.load_assets().parts['skin'].ref[:, 0]
    for side, eye in zip((1, -1), marks.eyes, strict=True):
      pane = glass[glass[:, 0] * side > marks.eyes[:, 0].mean() * side]
      low, high = pane.min(0), pane.max(0)
      assert (low[:2] < eye[:2]).all() and (eye[:2] < high[:2]).all()
      assert low[2] > eye[2] + marks.eye_radius
      for amounts in (units(), units(cheekSquint=0.5, mouthSmile=0.5)):
        face = moved(mesh, amounts)[skin]
        span = (face[:, :2] - (low + high)[:2] / 2) / ((high - low)[:2] / 2)
        inside = np.linalg.norm(span, axis=1) < 0.8
        for at in face[inside]:
          near = np.argsort(np.linalg.norm(pane[:, :2] - at[:2], axis=1))[:3]
          assert at[2] < pane[near, 2].max()
    arms = points(rims.part, mesh)[rims.part.triangles]
    for eye in marks.eyes:  # no rim across the pupil, whatever the kind of rim
      for rim in glasses.RIMS:
        bare, _ = glasses.make_glasses(
          dataclasses.replace(frame, rim=rim), rng, mesh, marks
        )
        corners = points(bare.part, mesh)[bare.part.triangles][..., :2]
        assert not covers(corners - eye[:2])
    arms = np.concatenate([arms.mean(1), *((arms + np.roll(arms, 1, 1)) / 2)])
    for ear in marks.ear_tops:
      assert np.linalg.norm(arms - ear, axis=1).min() < 0.08 * marks.scale


def hits(part, mesh, origins, ways):
  """Distance of a part along rays from inside the head; -1 where it is not met."""
  corners = points(part, mesh)[part.triangles].astype(np.float64)
  a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
  hit, share = _cast(origins, ways, a, b - a, c - a)
  u, v = share[:, :1], share[:, 1:]
  where = a[hit] + (b - a)[hit] * u + (c - a)[hit] * v
  return np.where(hit >= 0, np.linalg.norm(where - origins, axis=1), -1.0)


@pytest.mark.parametrize('name', list(HATS))
def test_no_skin_comes_through_a_hat_nor_the_hat_before_the_eyes(people, name):
  for seed, (mesh, marks, head) in people.items():
    hat = HATS[name](np.random.default_rng(seed), mesh, head, marks)
    part = hat.pieces[0].part
    rows, columns = head.skin.shape
    deep = np.arange(rows)[:, None] < hat.cover.line[None] - 1.0
    origins = np.broadcast_to(head.origins[:, None], head.ways.shape)[deep]
    ways = head.ways[deep]
    for amounts in (units(), units(browInnerUp=1, browOuterUp=1), units(browDown=1)):
      face = moved(mesh, amounts)
      skin = (face[head.ref] * head.weight[..., None]).sum(2)[deep]
      reach = ((skin - origins) * ways).sum(1)
      away = hits(part, face, np.ascontiguousarray(origins), np.ascontiguousarray(ways))
      assert (away > 0).mean() > 0.995
      assert (away[away > 0] > reach[away > 0]).all()
    box = 0.28 * marks.scale
    for vertex in points(part, mesh):
      for eye in marks.eyes:
        ahead = vertex[2] > eye[2]
        assert not (ahead and (np.abs(vertex[:2] - eye[:2]) < [box, 0.18]).all())
    assert hat.pieces[0].rigid


@pytest.mark.parametrize('name', list(WRAPS))
def test_a_covering_frames_the_face(people, name):
  for seed, (mesh, marks, head) in people.items():
    wrap = WRAPS[name](np.random.default_rng(seed), mesh, head, marks)
    part = wrap.pieces[0].part
    assert wrap.cover.all_hair and not wrap.pieces[0].rigid
    for amounts in (units(), units(jawOpen=0.8)):
      face = moved(mesh, amounts)
      cloth = points(part, face)
      lips = face[[455, 493]].mean(0)
      for spot in (*marks.eyes, lips):
        near = (np.abs(cloth[:, :2] - spot[:2]) < [0.16, 0.12]).all(1)
        assert not (near & (cloth[:, 2] > spot[2] - 0.1)).any()
    dropped = points(part, moved(mesh, units(jawOpen=1.0))) - points(part, mesh)
    if name != 'hood':  # the edge under the chin goes down with it
      assert dropped[:, 1].min() < -0.05


def test_hair_under_a_hat_stays_under_it(people):
  mesh, marks, head = people[4]
  hat = headwear.make_cap(np.random.default_rng(0), mesh, head, marks)
  for style in ('hair_afro01', 'hair_long01', 'hair_short02'):
    left = tuck.tuck_hair(
      hair.Hair(style), mesh, head, hat.cover, np.ones(3), marks.scale
    )
    assert left.style is None and left.pieces[0].name.startswith('hair')
    part = left.pieces[0].part
    whole = assets.load_assets().parts[style]
    assert len(part.triangles) < len(whole.triangles)
    np.testing.assert_allclose(part.weight.sum(1), 1, atol=1e-3)
    at = points(part, mesh).astype(float)
    row, column = (np.rint(k).astype(int) for k in tuck._cell(at, head))
    column %= head.skin.shape[1]
    inside = hat.cover.line[column] - row > 1
    away = np.linalg.norm(at - head.origins[row], axis=1)
    assert inside.sum() > 20
    # The cap is laid 0.055 above the outer surface.
    assert (away < head.outer[row, column] + 0.055 * marks.scale)[inside].mean() > 0.99
    assert at[:, 1].max() < marks.crown[1]
  assert tuck.tuck_hair(
    hair.Hair('hair_long01'), mesh, head, dataclasses.replace(hat.cover, all_hair=True),
    np.ones(3), marks.scale,
  ) == hair.Hair(None)  # fmt: skip


def test_shares_are_near_the_priors():
  people = [traits.sample_traits(seed) for seed in range(2000)]
  worn = [choose(person) for person in people]
  share = {
    name: np.mean([name in w for w in worn])
    for name in ('glasses', 'earrings', 'scarf')
  }
  assert abs(share['glasses'] - 0.18) < 0.03
  assert 0.17 < share['earrings'] < 0.29
  assert abs(share['scarf'] - 0.03) < 0.015
  hats = np.mean([any(name in w for name in HEADWEAR) for w in worn])
  assert abs(hats - 0.12) < 0.025
  men = [w for p, w in zip(people, worn, strict=True) if p.male > 0.5]
  assert not any({'hijab', 'headscarf'} & set(w) for w in men)
  old = np.mean(
    ['glasses' in w for p, w in zip(people, worn, strict=True) if p.age > 0.6]
  )
  young = np.mean(
    ['glasses' in w for p, w in zip(people, worn, strict=True) if p.age < 0.2]
  )
  assert old > young + 0.06
  frames = [
    glasses.sample_frame(traits.stream(p.seed, topic='glasses'), p.male, p.age)
    for p, w in zip(people, worn, strict=True)
    if 'glasses' in w
  ]
  assert np.mean([f.lens == 'sun' for f in frames]) * share['glasses'] < 0.01


def test_dress_leaves_hair_alone_without_a_hat():
  seed = next(s for s in range(50) if not choose(traits.sample_traits(s)))
  person = traits.sample_traits(seed)
  style = hair.Hair('hair_long01')
  assert dress(person, assets.load_assets().vertices, style) == (style, ())


def test_cloth_is_dyed_and_keeps_its_shape():
  base = assets.load_texture('cloth_male_casualsuit02')
  first, again, other = (
    clothes.paint_cloth(traits.sample_traits(seed), base) for seed in (1, 1, 2)
  )
  np.testing.assert_array_equal(first, again)
  assert first.shape == base.shape and first.dtype == np.uint8
  assert np.abs(first[..., :3].astype(int) - other[..., :3]).mean() > 8
  np.testing.assert_array_equal(first[..., 3], base[..., 3])


@pytest.mark.parametrize(
  'pattern', [*clothes.SUIT_PATTERNS, 'rib', 'denim', 'straw', 'felt']
)
def test_fabrics_are_in_range_and_not_flat(pattern):
  rng = np.random.default_rng(3)
  image = clothes.fabric(rng, pattern, np.array([120.0, 90, 60]), side=64)
  assert image.shape == (64, 64, 3)
  assert image.min() >= 0 and image.max() <= 255 and image.std(axis=(0, 1)).min() > 0.5
