"""Scoring finished videos: what is found, what is kept, what is refused."""

import cv2
import numpy as np
import pytest

from vasa_jax.errors import UserError
from vasa_jax.metrics import evaluator
from vasa_jax.metrics.evaluator import Clip, find_clips, score_clip, score_clips


def colour(picture):
  """A stand-in descriptor: the mean colour; grey walls have no face."""
  mean = picture.reshape(-1, 3).mean(0)
  return None if np.ptp(mean) < 1 else mean


def test_scores_of_a_rolling_head(videos, portrait):
  result = score_clip(Clip('anna', videos / 'anna_1.mp4', portrait), colour)
  scores = result['scores']
  assert scores['mesh_found'] == 100 and scores['seconds'] == pytest.approx(0.4)
  # It rolls by one degree a frame: a third of a degree as the mean of three angles, and
  # what the reader trembles.
  assert 0.2 < scores['delta_p'] < 0.9
  assert scores['blinks'] == 0 and -1 <= scores['mouth_r'] <= 1
  assert 0 <= scores['identity'] <= scores['identity_worst'] < 20
  strip = cv2.imdecode(np.frombuffer(result['strip'], np.uint8), cv2.IMREAD_COLOR)
  assert strip.shape == (128, 8 * 128, 3)


def test_scores_of_a_wall(videos):
  scores = score_clip(Clip('wall', videos / 'wall.mp4'), colour)['scores']
  assert scores['mesh_found'] == 0 and np.isnan(scores['delta_p'])
  assert 'identity' not in scores and 'mouth_r' not in scores


def test_a_second_run_reads_nothing_again(videos, tmp_path, monkeypatch):
  clips = find_clips(videos)
  first = score_clips(clips, tmp_path)
  assert [row['clip'] for row in first.rows] == ['anna_1', 'wall']

  def explode(*_):
    raise AssertionError('scored again')

  monkeypatch.setattr(evaluator, 'score_clip', explode)
  again = score_clips(clips, tmp_path)
  np.testing.assert_equal(again.rows, first.rows)  # NaN equals NaN here
  with pytest.raises(AssertionError):
    score_clips(clips, tmp_path, colour)  # with identity it is another question


def test_a_broken_clip_is_named_and_the_rest_goes_on(videos, tmp_path):
  folder = tmp_path / 'in'
  folder.mkdir()
  (folder / 'a.mp4').write_bytes(b'broken' * 50)
  (folder / 'b.mp4').write_bytes((videos / 'wall.mp4').read_bytes())
  scores = score_clips(find_clips(folder), tmp_path / 'out')
  assert [row['clip'] for row in scores.rows] == ['b']
  assert len(scores.failures) == 1 and 'a.mp4' in scores.failures[0]
  (folder / 'b.mp4').unlink()
  with pytest.raises(UserError, match='a.mp4'):
    score_clips(find_clips(folder), tmp_path / 'out')


def test_portraits_are_matched_by_the_longest_name(tmp_path):
  videos, portraits = tmp_path / 'v', tmp_path / 'p'
  (videos / 'sub').mkdir(parents=True)
  portraits.mkdir()
  for name in ('ann_1.mp4', 'anna_1.mp4', 'sub/bob.mp4', 'note.txt'):
    (videos / name).write_bytes(b'')
  for name, grey in (('ann', 50), ('anna', 90)):
    cv2.imwrite(str(portraits / f'{name}.png'), np.full((4, 4, 3), grey, np.uint8))
  clips = {clip.name: clip.portrait for clip in find_clips(videos, portraits)}
  assert sorted(clips) == ['ann_1', 'anna_1', 'sub/bob']
  assert clips['ann_1'][0, 0, 0] == 50 and clips['anna_1'][0, 0, 0] == 90
  assert clips['sub/bob'] is None
  single = find_clips(videos, portraits / 'ann.png')
  assert [clip.portrait[0, 0, 0] for clip in single] == [50, 50, 50]


def test_bad_folders_and_portraits(tmp_path, videos):
  with pytest.raises(UserError, match='no folder'):
    find_clips(tmp_path / 'none')
  with pytest.raises(UserError, match='no video'):
    find_clips(tmp_path)
  with pytest.raises(UserError, match='no portrait'):
    find_clips(videos, tmp_path)
  (tmp_path / 'anna.png').write_bytes(b'no picture')
  with pytest.raises(UserError, match='anna.png'):
    find_clips(videos, tmp_path)
  grey = np.full((64, 64, 3), 99, np.uint8)
  with pytest.raises(UserError, match='no face in the portrait'):
    score_clip(Clip('a', videos / 'wall.mp4', grey), colour)
