"""The judge's sums, and the fit on looks whose truth is known."""

import numpy as np
import pytest

from data_pipelines.perceive import blinks, readout
from data_pipelines.perceive.geometry import fit_head
from data_pipelines.perceive.track import Track
from experiments import fit_perception, judge_perception
from experiments.perception_clips import true_opening
from vasa_jax.metrics.faces import mean_mesh
from vasa_jax.metrics.pose import rotation


def test_spans_and_meetings():
  shut = np.array([0, 1, 1, 0, 0, 0, 0, 0, 1], bool)
  found = judge_perception.spans(shut)
  np.testing.assert_array_equal(found, [[1, 3], [8, 9]])
  late = np.array([[4, 5]])
  assert judge_perception.meeting(found, late) == 1  # one frame beside it is near
  assert judge_perception.meeting(found, late, near=1) == 0
  assert judge_perception.meeting(late, np.zeros((0, 2), int)) == 0


def test_summary_of_a_perfect_and_of_a_biased_reader():
  rng = np.random.default_rng(0)
  true = rng.normal(size=(50, 9))
  clip = {
    'read': true, 'true': true, 'visible': np.ones(50, bool), 'blinks': 2,
    'blinks found': 1, 'reported': 3, 'reported right': 2, 'speech': 0.5, 'ms': 4.0,
    'main gaze error': np.array([1.0, 2.0]),
  }  # fmt: skip
  found = judge_perception.summarise([clip])
  assert found['yaw']['r'] == pytest.approx(1) and found['yaw']['error'] == 0
  two = [clip, {**clip, 'read': true + 3}]
  found = judge_perception.summarise(two)
  assert found['pitch']['bias'] == pytest.approx(1.5)
  assert found['pitch']['r'] < 0.7  # a bias from clip to clip counts
  text = judge_perception.as_markdown(found)
  assert 'blinks found: 2 of 4' in text and '| yaw |' in text


def test_a_jaw_that_drops_opens_the_mouth():
  from data_pipelines.synthetic.acting.visemes import UNIT

  units = np.zeros((3, 52))
  units[1, UNIT['jawOpen']] = 0.3
  units[2, UNIT['jawOpen']] = 0.6
  opening = true_opening(units, np.zeros(64))
  assert opening[0] < 0.05 and opening[1] > opening[0] + 0.05
  assert opening[2] > opening[1] + 0.05


UPPER, LOWER = [13, 82, 312], [14, 87, 317]


def _looks(people=60, frames=4):
  """Turned mean meshes; who has a long nose reads 6 degrees of pitch too few.

  Mouths open by as much as the lower lip sinks, and look open by what the person likes.
  """
  rng = np.random.default_rng(1)
  rows = []
  for person in range(people):
    nose = rng.normal()
    shape = mean_mesh().copy()
    shape[1:5, 2] += 0.05 * nose
    shape[LOWER, 1] = shape[UPPER, 1] - 0.05 * rng.uniform()
    for _ in range(frames):
      angles = rng.normal(0, (15, 8, 6))
      mouth, spoken = rng.uniform(0, 0.3), shape.copy()
      spoken[LOWER, 1] -= mouth
      points = spoken @ rotation(angles).T * [0.1, -0.1, -0.1] + [0.5, 0.5, 0]
      width = 0.05
      lids, iris = np.zeros((2, 71, 3)), np.zeros((2, 5, 3))
      eyes = rng.normal(0, 0.15, 2)
      for side, pair in enumerate(((33, 133), (362, 263))):
        middle = points[list(pair)].mean(0)
        lids[side] = middle
        ends = (8, 0) if side == 0 else (0, 8)
        lids[side, ends[0], 0] -= width / 2
        lids[side, ends[1], 0] += width / 2
        lids[side, 3:6, 1] += 0.15 * width
        lids[side, 11:14, 1] -= 0.15 * width
        iris[side] = middle + [0.4 * width * eyes[0], -0.4 * width * eyes[1], 0]
      rows.append(
        {'points': points, 'lids': lids, 'iris': iris, 'score': 1.0, 'angles': angles,
         'eyes': eyes, 'shut': 0.0, 'mouth': mouth, 'seed': person, 'nose': nose}
      )  # fmt: skip
  looks = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
  looks['pose'] = fit_head(looks['points'])
  looks['pose'][:, 1] += 6 * looks.pop('nose')
  return looks


def test_the_fit_takes_a_persons_bias_away_on_people_it_never_saw():
  looks = _looks()
  read = fit_perception.left_out(looks)
  rough = fit_head(looks['points'])
  before = np.abs(rough[:, 1] - looks['pose'][:, 1]).mean()
  after = np.abs(read[:, 1] - looks['pose'][:, 1]).mean()
  assert before > 4 and after < 0.35 * before
  for i in (0, 1):
    assert np.corrcoef(read[:, 6 + i], looks['eyes'][:, i])[0, 1] > 0.95
  assert np.corrcoef(read[:, 8], looks['mouth'])[0, 1] > 0.95
  text = fit_perception.as_markdown(looks, read)
  assert 'stills: 240 frames of 60 people' in text and 'talkers' not in text
  assert '| mouth opening | 0.9' in text


def test_people_who_err_alike_do_not_make_nods_smaller():
  """Each person's geometry is off by 8 degrees of pitch; nobody's shape tells why."""
  looks = _looks(people=80, frames=6)
  rng = np.random.default_rng(2)
  off = rng.normal(0, 8, 80)[looks['seed']]
  looks['pose'] = fit_head(looks['points'])
  looks['pose'][:, 1] += off
  read, true = fit_perception.left_out(looks)[:, 1], looks['pose'][:, 1]
  who = looks['seed']
  nods, wanted = (
    v - np.bincount(who, v)[who] / np.bincount(who)[who] for v in (read, true)
  )
  assert (nods * wanted).sum() / (wanted**2).sum() == pytest.approx(1, abs=0.08)


def test_talkers_are_looked_at_as_they_were_rendered(monkeypatch):
  seed = fit_perception.FIRST_TALKER
  monkeypatch.setattr(fit_perception, 'TALKING', 2)
  monkeypatch.setattr(fit_perception, 'SPOKEN', 25)
  monkeypatch.setattr(fit_perception, 'SIZES', (128,))
  looks = fit_perception.look_at([seed], fit_perception.talking_shots)
  assert looks['points'].shape == (2, 468, 3) and (looks['seed'] == seed).all()
  rough = fit_head(looks['points'])
  np.testing.assert_allclose(rough[:, :3], looks['pose'][:, :3], atol=15)
  assert (looks['mouth'] >= 0).all() and looks['mouth'].shape == (2,)


def test_the_shipped_numbers_belong_to_this_reader():
  known = readout.load_calibration()
  looks = _looks(people=1, frames=2)
  track = Track(*(looks[name] for name in fit_perception.SEEN))
  seen = readout.see(track)
  assert known.mean.shape == seen.shape.shape[1:]
  assert known.basis.shape == (*known.mean.shape, readout.COMPONENTS)
  scores = readout.scores_of(seen.shape, known.mean, known.basis)
  one = np.zeros(2, int)
  terms = readout.with_means(readout.pose_terms(seen.rough, scores), one)
  assert known.pose.shape == (terms.shape[1], 6)
  terms = readout.eye_terms(track, seen.rough, scores)
  assert known.eyes.shape == (terms.shape[1], 2)
  mouth = readout.mouth_terms(seen.rough, seen.local, known.lips)
  assert known.mouth.shape == (readout.with_means(mouth, one).shape[1],)
  terms = blinks.lid_terms(track, seen.rough, seen.local)
  assert known.lids.shape == terms.shape[1:]


def test_lids_are_fitted_from_what_is_usual_for_each_person():
  looks = _looks(people=80, frames=6)
  rng = np.random.default_rng(3)
  narrow = rng.uniform(0, 0.6, 80)[looks['seed']]  # how far a person's lids hang
  looks['shut'] = np.where(np.arange(len(narrow)) % 6 == 2, 1.0, 0.0)
  open_ = (1 - narrow) * (1 - 0.6 * looks['shut'])
  middle = looks['lids'][:, :, [0, 8]].mean(2, keepdims=True)[..., 1]
  looks['lids'][:, :, :16, 1] = middle + open_[:, None, None] * (
    looks['lids'][:, :, :16, 1] - middle
  )
  weights = fit_perception.fit(looks).lids
  shut = []
  for person in range(80):
    mine = looks['seed'] == person
    track = Track(*(looks[name][mine] for name in fit_perception.SEEN))
    seen = readout.see(track)
    shut.append(blinks.closure(track, seen.rough, seen.local, weights))
  shut = np.array(shut)
  assert shut[:, 2].min() > 0.5 and np.abs(np.delete(shut, 2, 1)).max() < 0.5


def test_the_shipped_numbers_correct_and_do_not_overrule():
  """A straight mean head stays nearly straight, and a nod is a nod."""
  known = readout.load_calibration()
  mean = np.repeat(mean_mesh()[None], 5, 0)
  pitch = np.linspace(-10, 10, 5)
  turned = np.stack(
    [m @ rotation((0, p, 0)).T for m, p in zip(mean, pitch, strict=True)]
  )
  points = turned * [0.12, -0.12, -0.12] + [0.5, 0.5, 0]
  rough = fit_head(points)
  scores = np.zeros((5, readout.COMPONENTS))
  terms = readout.pose_terms(rough, scores)
  pose = rough + readout.with_means(terms, np.zeros(5, int)) @ known.pose
  assert np.abs(pose[2, :3]).max() < 6
  assert 14 < pose[-1, 1] - pose[0, 1] < 30
