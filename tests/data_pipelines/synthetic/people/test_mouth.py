"""Teeth, gums and tongue: painted where they are, other for others, the same again."""

import numpy as np

from data_pipelines.synthetic import assets
from data_pipelines.synthetic.people import mouth, traits

PEOPLE = [traits.sample_traits(seed) for seed in range(60)]


def tooth_of(part):
  """(m,) tooth that the texel under each vertex belongs to."""
  side = mouth.SIDE
  row = ((1 - part.uv[:, 1]) * side).astype(int).clip(0, side - 1)
  column = (part.uv[:, 0] * side).astype(int).clip(0, side - 1)
  return mouth._teeth().tooth[row, column]


def test_the_same_person_has_the_same_mouth():
  for paint in (mouth.paint_teeth, mouth.paint_tongue):
    first, again, other = paint(PEOPLE[1]), paint(PEOPLE[1]), paint(PEOPLE[2])
    np.testing.assert_array_equal(first, again)
    assert first.dtype == np.uint8 and first.shape[2] == 4
    assert np.abs(first.astype(int) - other).mean() > 1


def test_the_atlas_knows_the_teeth():
  teeth = mouth._teeth()
  assert set(np.unique(teeth.tooth)) == set(range(33))
  centres = teeth.centres[1:]
  upper = centres[:, 1] > np.array([mouth._plane(z) for z in centres[:, 2]])
  assert upper.sum() == 16
  jaw = assets.load_assets().units[assets.UNITS.index('jawOpen')]
  part = assets.load_assets().parts['teeth']
  drop = (jaw[part.ref] * part.weight[..., None]).sum(1)[:, 1]
  label = tooth_of(part)
  for number, is_upper in enumerate(upper, 1):
    assert (label == number).sum() > 20
    assert (np.median(drop[label == number]) > -0.01) == is_upper


def test_lower_gums_follow_the_jaw_and_upper_ones_do_not():
  loaded = assets.load_assets()
  part = loaded.parts['teeth']
  at = (loaded.vertices[part.ref] * part.weight[..., None]).sum(1) + part.offset
  drop = (
    loaded.units[assets.UNITS.index('jawOpen')][part.ref] * part.weight[..., None]
  ).sum(1)
  gum = tooth_of(part) == 0
  plane = mouth._plane(at[:, 2])
  front = at[:, 2] > 1.3
  lower = gum & front & (at[:, 1] < plane - 0.1)
  upper = gum & front & (at[:, 1] > plane + 0.1)
  assert lower.sum() > 50 and upper.sum() > 50
  assert drop[lower, 1].max() < -0.12
  assert np.abs(drop[upper]).max() < 1e-3


def test_enamel_is_lighter_than_gums_and_yellows_with_age():
  teeth = mouth._teeth()
  front = (teeth.tooth > 0) & (teeth.light[..., 0] > 0.9)
  gums = (teeth.tooth == 0) & (teeth.light[..., 0] > 0.9)
  yellow = []
  for person in PEOPLE:
    image = mouth.paint_teeth(person)[..., :3].astype(float)
    assert image[front][:, 1].mean() > image[gums][:, 1].mean() + 50  # green
    red, _, blue = image[front].mean(0)
    yellow.append(red - blue)
  age = np.array([person.age for person in PEOPLE])
  assert np.std(yellow) > 4
  assert np.corrcoef(age, yellow)[0, 1] > 0.3


def test_few_lack_a_tooth_or_have_a_gap():
  lacking = [(mouth.paint_teeth(person)[..., 3] == 0).mean() for person in PEOPLE]
  assert np.mean(np.array(lacking) > 0) < 0.25
  assert max(lacking) < 0.06
  assert mouth.TEETH.cut_out
