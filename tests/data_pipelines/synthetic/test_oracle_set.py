import hashlib
import shutil

import numpy as np
import pytest

from data_pipelines.errors import UserError
from data_pipelines.synthetic import oracle_factors, oracle_set
from data_pipelines.synthetic.acting.visemes import UNIT
from data_pipelines.synthetic.oracle_factors import FACTORS, GROUPS, oracle_frames

TINY = {'size': 32, 'identities': 2, 'supersample': 1}


@pytest.fixture(scope='module')
def made(tmp_path_factory):
  folder = tmp_path_factory.mktemp('oracle')
  assert oracle_set.render_oracle(folder, **TINY) == 2
  return folder


@pytest.fixture(scope='module')
def groups(made):
  return list(oracle_set.load_oracle(made))


def digests(folder):
  files = [p for p in sorted(folder.iterdir()) if 'array_record' in p.name]
  return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_one_factor_at_a_time():
  frames = oracle_frames(2)
  assert len(frames) == 2 * len(oracle_frames(1))
  bases = {f.identity: f for f in frames if f.factor == 'base'}
  assert set(bases) == {0, 1}
  labels = {
    'pose': ('pose',),
    'gaze': ('eyes',),
    'dynamics': ('units', 'emotion'),
    'light': ('light',),
    'background': ('place',),
    'identity': ('stranger',),
  }
  for frame in frames:
    if frame.factor == 'base':
      continue
    base, group = bases[frame.identity], GROUPS[frame.factor]
    changed = {
      name
      for names in labels.values()
      for name in names
      if not np.array_equal(getattr(frame, name), getattr(base, name))
    }
    assert changed and changed <= set(labels[group]), frame.factor
    if group in ('pose', 'gaze'):
      name = labels[group][0]
      assert np.sum(getattr(frame, name) != getattr(base, name)) == 1


def test_every_factor_has_its_values():
  found = {}
  for frame in oracle_frames(1):
    found.setdefault(frame.factor, []).append(frame.value)
  assert set(found) == {'base', *FACTORS}
  assert len(found['yaw']) == 5 and len(found['emotion']) == 7
  assert len(found['light']) == 4 and len(found['background']) == 3
  for values in found.values():
    assert len(set(values)) == len(values)


def test_units_go_to_both_sides():
  frames = [f for f in oracle_frames(1) if f.factor == 'brows down']
  for frame in frames:
    left, right = frame.units[UNIT['browDownLeft']], frame.units[UNIT['browDownRight']]
    assert left == right == pytest.approx(frame.value)


def test_people_are_nobody_else():
  seeds = {oracle_set.person_seed(i, s) for i in range(50) for s in (0, 1)}
  assert len(seeds) == 100
  assert min(seeds) >= 3 << 40


def test_the_set_reads_back_with_exact_labels(groups):
  assert [(g.identity, g.factor) for g in groups] == [
    (i, factor) for i in range(2) for factor in FACTORS
  ]
  for group in groups:
    plan = [
      f
      for f in oracle_frames(2)
      if f.identity == group.identity and f.factor == group.factor
    ]
    assert [s.value for s in group.changed] == [f.value for f in plan]
    for shot, frame in zip(group.changed, plan, strict=True):
      assert shot.picture.shape == (32, 32, 3)
      np.testing.assert_allclose(shot.z_pose, frame.pose, atol=1e-5)
      np.testing.assert_allclose(shot.z_dyn[:52], frame.units, atol=1e-6)
      np.testing.assert_allclose(shot.z_dyn[52:], frame.eyes, atol=1e-6)
      np.testing.assert_allclose(shot.emotion, frame.emotion, atol=1e-6)


def test_only_the_factor_changes_in_labels_and_pictures(groups):
  for group in groups:
    base = group.base
    kind = GROUPS[group.factor]
    for shot in group.changed:
      same = {
        'pose': np.array_equal(shot.z_pose, base.z_pose),
        'gaze': np.array_equal(shot.z_dyn[52:], base.z_dyn[52:]),
        'dynamics': np.array_equal(shot.z_dyn[:52], base.z_dyn[:52]),
        'light': np.array_equal(shot.light, base.light),
        'identity': np.array_equal(shot.shape, base.shape),
      }
      for name, equal in same.items():
        assert equal == (name != kind), (group.factor, name)
      # At 32 pixels an eye is two or three pixels, perhaps behind glasses.
      change = np.abs(shot.picture.astype(int) - base.picture).max(-1)
      assert change.max() > (0 if kind in ('gaze', 'dynamics') else 25), group.factor
      if kind in ('dynamics', 'gaze', 'light'):
        corners = change[:3, [0, 1, -2, -1]]  # the place behind stays
        assert corners.mean() < 3, group.factor


def test_yaw_turns_points_and_a_stranger_looks_different(groups):
  yaw = next(g for g in groups if g.factor == 'yaw')
  middle = [np.nanmean(s.points[s.points[:, 2] > 0, 0]) for s in yaw.changed]
  assert middle[0] < middle[-1]
  other = next(g for g in groups if g.factor == 'identity').changed[0]
  base = groups[0].base
  assert np.abs(other.shape - base.shape).max() > 0.1
  np.testing.assert_array_equal(other.z_pose, base.z_pose)


def test_a_broken_run_goes_on_with_the_same_bytes(made, tmp_path):
  shutil.copytree(made, tmp_path, dirs_exist_ok=True)
  next(tmp_path.glob('*array_record-00001-*')).unlink()
  assert oracle_set.render_oracle(tmp_path, **TINY) == 1
  assert digests(tmp_path) == digests(made)
  assert oracle_set.render_oracle(tmp_path, **TINY) == 0


def test_the_first_people_do_not_depend_on_how_many_there_are(made, tmp_path):
  oracle_set.render_oracle(tmp_path, size=32, identities=1, supersample=1)
  (one,) = digests(tmp_path).values()
  assert one == sorted(digests(made).items())[0][1]


def test_mistakes_are_told(made, tmp_path, capsys):
  with pytest.raises(UserError, match='another'):
    oracle_set.render_oracle(made, size=48, identities=2, supersample=1)
  with pytest.raises(UserError, match='no finished corpus'):
    next(oracle_set.load_oracle(tmp_path))
  assert oracle_set.main(['--out', str(tmp_path), '--size', '4']) == 2
  assert '--size' in capsys.readouterr().err


def test_another_plan_is_refused(made, monkeypatch):
  plan = oracle_frames(1)[:-1]
  monkeypatch.setattr(oracle_set, 'oracle_frames', lambda n: plan)
  with pytest.raises(UserError, match='oracle set'):
    list(oracle_set.load_oracle(made))


def test_the_plan_covers_every_group():
  assert set(GROUPS.values()) == {
    'pose', 'gaze', 'dynamics', 'light', 'background', 'identity',
  }  # fmt: skip
  assert oracle_factors.IDENTITIES == 50
