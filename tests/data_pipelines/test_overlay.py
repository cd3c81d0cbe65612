"""Labels drawn where they belong."""

import dataclasses

import numpy as np

from data_pipelines import inspect, overlay
from data_pipelines.errors import UserError
from vasa_jax.metrics.faces import mean_mesh


def _marks(t):
  marks = mean_mesh()[:, :2] * [0.12, -0.12] + 0.5
  return np.repeat(marks[None].astype(np.float32), t, 0)


def test_the_gaze_arrow_points_where_the_eyes_look():
  grey = np.full((64, 64, 3), 90, np.uint8)
  plain = np.zeros((0, 2), np.float32)
  right, left = (
    overlay.draw_labels(grey, np.zeros(5), np.array([x, 0]), _marks(1)[0])
    for x in (60, -60)
  )
  changed = (right != left).any(-1)
  eye = _marks(1)[0, [362, 263]].mean(0) * overlay.SIDE
  x, y = eye.astype(int)
  assert changed[y - 3 : y + 3, x + 30 : x + 40].any()
  greener = right[y - 2 : y + 3, x + 30 : x + 40].astype(int)
  assert (greener[..., 1] - greener[..., 0]).max() > 60
  bare = overlay.draw_labels(grey, np.zeros(5), np.zeros(2), plain)
  assert (bare[100:] == 90).all()  # numbers only
  red = overlay.draw_labels(grey, np.zeros(5), np.zeros(2), plain, trusted=False)
  assert red[-1, -1].tolist() == [255, 40, 40]


def test_openings_of_flat_landmarks():
  marks = _marks(2)
  marks[1, [13, 82, 312], 1] -= 0.05
  mouth, eyes = overlay.openings(marks).T
  assert mouth[1] > mouth[0] + 0.1 and eyes[1] == eyes[0] > 0.1


def test_the_command_writes_a_video_with_labels(tmp_path, drawn, capsys):
  import av

  clip = dataclasses.replace(drawn.make_clip(0), landmarks=_marks(12))
  drawn.write_corpus(tmp_path, [clip, drawn.make_clip(1)])
  video = tmp_path / 'labels.mp4'
  assert inspect.main([str(tmp_path), '--overlay', str(video), '--histograms']) == 0
  told = capsys.readouterr().out
  assert 'mouth_open' in told and '█' in told
  with av.open(str(video)) as container:
    frames = [f.to_ndarray(format='rgb24') for f in container.decode(video=0)]
  assert len(frames) == 24 and frames[0].shape == (512, 512, 3)
  wrong = tmp_path / 'no' / 'labels.mp4'
  assert inspect.main([str(tmp_path), '--overlay', str(wrong)]) == 1
  assert 'inspect: ' in capsys.readouterr().err


def test_histograms_count_every_trusted_frame(drawn):
  unmeshed = np.zeros((12, 0, 2), np.float32)
  clip = dataclasses.replace(drawn.make_clip(0), landmarks=unmeshed)
  hidden = dataclasses.replace(clip, visible=np.arange(12) < 5)
  found = inspect.histograms([clip, hidden], bins=4)
  assert sum(found['yaw']['counts']) == 17
  assert found['yaw']['high'] == round(float(np.rad2deg(0.11)), 4)
  assert found['seconds']['percentiles'][1] == 0.48
  assert 'mouth_open' not in found


def test_errors_are_the_projects(tmp_path, drawn):
  clip = drawn.make_clip(0)
  try:
    overlay.write_video(tmp_path / 'a.avi', [clip])
  except UserError as error:
    assert 'mp4' in str(error)
  else:
    raise AssertionError('an .avi was written')
