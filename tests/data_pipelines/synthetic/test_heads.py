"""Sampled people: repeatable, different, plausible."""

import numpy as np
import pytest

from data_pipelines.synthetic import assets, hair, heads, irises, scene


@pytest.fixture(scope='module')
def people():
  return [heads.sample_identity(seed) for seed in range(24)]


def test_same_seed_same_person(people):
  again = heads.sample_identity(3)
  for field in ('vertices', 'eye_texture', 'hair_colour', 'cloth_tint'):
    np.testing.assert_array_equal(getattr(again, field), getattr(people[3], field))
  np.testing.assert_array_equal(again.skin.albedo, people[3].skin.albedo)
  assert again.parts == people[3].parts
  assert again.coefficients == people[3].coefficients


def test_other_seeds_are_other_people(people):
  vectors = np.stack([p.vector() for p in people])
  gaps = np.linalg.norm(vectors[:, None] - vectors[None], axis=-1)
  assert gaps[~np.eye(len(people), dtype=bool)].min() > 0.3
  skins = {p.skin.albedo.tobytes() for p in people}
  assert len(skins) == len(people)


def test_vector_holds_macro_and_local_amounts(people):
  person = people[0]
  vector = person.vector()
  names = list(assets.load_assets().locals)
  assert vector.shape == (6 + len(names),)
  assert vector[0] == np.float32(person.male)
  np.testing.assert_allclose(vector[3:6].sum(), 1, atol=1e-6)
  name, amount = next(iter(person.coefficients.items()))
  assert vector[6 + names.index(name)] == np.float32(amount)


def test_opposites_exclude_each_other_and_sides_agree(people):
  for person in people:
    c = person.coefficients
    for name in c:
      if name.endswith('-incr'):
        assert name[:-4] + 'decr' not in c
      if '/l-' in name:
        assert c[name] == c[name.replace('/l-', '/r-')]


def test_local_shifts_are_bounded(people):
  targets = assets.load_assets().locals
  for person in people:
    for group, limit in heads.LARGEST_SHIFT.items():
      shift = np.zeros_like(person.vertices)
      for name, amount in person.coefficients.items():
        if name.startswith(group + '/'):
          target = targets[name]
          shift[target.indices] += np.float32(amount) * target.values
      assert np.linalg.norm(shift, axis=1).max() <= limit * 1.001


def test_eyeballs_sit_in_the_head(people):
  for person in people:
    left, right = person.eye_centres
    assert left[0] > person.pivot[0] > right[0]
    assert abs(left[1] - right[1]) < 0.1
    assert 0.4 < left[1] - person.pivot[1] < 1.2
    assert (np.abs(person.eye_scale - 1) < 0.4).all()


def test_clothes_and_parts_fit(people):
  for person in people:
    sex = 'male' if person.male > 0.5 else 'female'
    assert person.cloth.startswith(f'cloth_{sex}')
    assert person.parts[0] == 'skin' and person.parts[-1] == person.cloth
    assert set(person.parts) <= set(assets.load_assets().parts)


def test_styles_that_hide_an_eye_are_rare():
  rng = np.random.default_rng(0)
  race = np.array([0.2, 0.3, 0.5])
  for male in (0.0, 1.0):
    styles = [hair._sample_hair(rng, male, race) for _ in range(3000)]
    bobs = sum(s is not None and 'bob' in s for s in styles) / 3000
    assert 0.015 < bobs < 0.045
    assert len(set(styles)) >= 8


def test_painted_eye_is_dark_in_the_middle_and_light_outside():
  iris = np.array([0.3, 0.5, 0.2])
  eye = irises.paint_eye(np.random.default_rng(0), iris, side=128)
  at = lambda degrees: eye[64, 64 + int(64 * degrees / assets.EYE_ANGLE)] / 255  # noqa: E731
  assert at(3).max() < 0.1
  np.testing.assert_allclose(at(15), iris, atol=0.15)
  assert at(34).min() > 0.6


def test_lights_and_backgrounds_are_repeatable_and_in_range():
  a, b = (scene.sample_light(np.random.default_rng(5)) for _ in range(2))
  np.testing.assert_array_equal(a.colours, b.colours)
  np.testing.assert_allclose(np.linalg.norm(a.directions, axis=1), 1, atol=1e-6)
  assert a.directions[0, 2] > 0 > a.directions[2, 2]
  pictures = [scene.sample_background(np.random.default_rng(s), 48) for s in (1, 1, 2)]
  assert pictures[0].shape == (48, 48, 3) and pictures[0].dtype == np.uint8
  np.testing.assert_array_equal(pictures[0], pictures[1])
  assert np.abs(pictures[0].astype(int) - pictures[2]).mean() > 5


def test_background_does_not_depend_on_the_size():
  small, large = (
    scene.sample_background(np.random.default_rng(4), size) for size in (32, 64)
  )
  shrunk = large.reshape(32, 2, 32, 2, 3).mean((1, 3))
  assert np.abs(shrunk - small).mean() < 4
