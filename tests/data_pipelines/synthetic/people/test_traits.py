"""What people are: priors that hold together, from numbers alone."""

import numpy as np
import pytest

from data_pipelines.synthetic.people import traits


@pytest.fixture(scope='module')
def crowd():
  return [traits.sample_traits(seed) for seed in range(1500)]


def column(crowd, name):
  return np.array([getattr(person, name) for person in crowd])


def test_repeatable_and_in_range(crowd):
  again = traits.sample_traits(7)
  for name in ('male', 'age', 'melanin', 'grey', 'makeup'):
    assert getattr(again, name) == getattr(crowd[7], name)
  np.testing.assert_array_equal(again.hair_colour, crowd[7].hair_colour)
  for name in ('male', 'age', 'melanin', 'redness', 'grey', 'stubble', 'makeup'):
    values = column(crowd, name)
    assert 0 <= values.min() and values.max() <= 1 and values.std() > 0.05
  assert np.abs(column(crowd, 'weight')).max() <= 1
  np.testing.assert_allclose(column(crowd, 'race').sum(1), 1, atol=1e-5)
  assert column(crowd, 'hair_colour').min() > 0


def test_grey_and_weight_come_with_age(crowd):
  age, grey = column(crowd, 'age'), column(crowd, 'grey')
  shares = [(grey[(age >= a) & (age < a + 0.25)] > 0.3).mean() for a in (0, 0.25, 0.5)]
  shares.append((grey[age >= 0.75] > 0.3).mean())
  assert shares == sorted(shares)
  assert shares[0] < 0.1 and shares[3] > 0.7
  weight = column(crowd, 'weight')
  assert 0.05 < np.corrcoef(age, weight)[0, 1] < 0.5


def test_melanin_follows_the_origin_and_colours_follow_melanin(crowd):
  race, melanin = column(crowd, 'race'), column(crowd, 'melanin')
  means = [melanin[race[:, k] > 0.8].mean() for k in range(3)]
  assert means[0] > means[1] + 0.2 > means[2] + 0.25
  brightness = column(crowd, 'hair_colour').mean(1)
  young = column(crowd, 'grey') < 0.05
  fair, dark = young & (melanin < 0.2), young & (melanin > 0.6)
  assert np.median(brightness[fair]) > 2 * np.median(brightness[dark])
  iris = column(crowd, 'iris')
  blue = iris[:, 2] > iris[:, 0]
  assert blue[melanin < 0.2].mean() > 0.25 and blue[melanin > 0.5].mean() < 0.03


def test_stubble_is_for_men_and_make_up_mostly_for_women(crowd):
  male = column(crowd, 'male')
  stubble, makeup = column(crowd, 'stubble'), column(crowd, 'makeup')
  assert stubble[male < 0.5].max() == 0 and (stubble[male > 0.9] > 0.2).mean() > 0.5
  worn = makeup > 0
  assert 0.5 < worn[male < 0.3].mean() < 0.9
  assert 0 < worn[male > 0.9].mean() < 0.06


def test_topics_do_not_disturb_each_other():
  a = traits.stream(3, topic='hair').random(5)
  traits.stream(3, topic='nose').random(100)
  np.testing.assert_array_equal(a, traits.stream(3, topic='hair').random(5))
  assert (a != traits.stream(3, topic='nose').random(5)).all()
