"""Sampled people: repeatable, different, plausible."""

import numpy as np
import pytest

from data_pipelines.synthetic import assets
from data_pipelines.synthetic.drawing import scene
from data_pipelines.synthetic.people import heads, irises


@pytest.fixture(scope='module')
def people():
  return [heads.sample_identity(seed) for seed in range(24)]


def test_same_seed_same_person(people):
  again = heads.sample_identity(3)
  for name, texture in again.textures.items():
    np.testing.assert_array_equal(texture, people[3].textures[name])
  for field in ('vertices', 'hair_colour'):
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
    assert sum(piece.name == 'brow' for piece in person.pieces) == 1


def test_painted_eye_is_dark_in_the_middle_and_light_outside():
  iris = np.array([0.3, 0.5, 0.2])
  eye = irises.paint_eye(np.random.default_rng(0), iris, side=128)
  y, x = (np.mgrid[0:128, 0:128] + 0.5) / 128 - 0.5
  angle = 2 * assets.EYE_ANGLE * np.hypot(x, y)

  def ring(low, high):
    return eye[(angle > low) & (angle < high)].mean(0) / 255

  assert ring(0, 4).max() < 0.1
  colour = ring(13, 18)
  np.testing.assert_allclose(colour, iris, atol=0.15)
  assert colour[1] > colour[0] > colour[2]
  assert ring(28, 36).min() > 0.6


def test_old_eyes_are_yellower_and_every_eye_differs():
  iris = np.array([0.35, 0.45, 0.55])

  def whites(age):
    eyes = [irises.paint_eye(np.random.default_rng(k), iris, age=age) for k in range(8)]
    assert len({eye.tobytes() for eye in eyes}) == 8
    patch = np.stack([eye[120:136, 40:60] for eye in eyes]).mean((0, 1, 2))
    return patch[2] / patch[0]

  assert whites(1.0) < 0.97 * whites(0.0)


def test_lights_are_repeatable_and_in_range():
  a, b = (scene.sample_light(np.random.default_rng(5)) for _ in range(2))
  np.testing.assert_array_equal(a.colours, b.colours)
  np.testing.assert_allclose(np.linalg.norm(a.directions, axis=1), 1, atol=1e-6)
  assert a.directions[0, 2] > 0 > a.directions[2, 2]
